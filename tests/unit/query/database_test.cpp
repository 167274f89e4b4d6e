#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "query/database_impl.hpp"
#include "support/temp_dir.hpp"

namespace fermata {
namespace {

class DatabaseTest : public testing::Test {
 protected:
  QueryResult execute(std::string_view statement, const Map& parameters = {}) {
    auto result = database_->execute(statement, parameters);
    EXPECT_TRUE(result) << statement << "\n" << (result ? "" : result.error().message);
    return result ? std::move(*result) : QueryResult{};
  }
  ErrorCode refused(std::string_view statement, const Map& parameters = {}) {
    const auto result = database_->execute(statement, parameters);
    EXPECT_FALSE(result) << statement;
    return result ? ErrorCode::Io : result.error().code;
  }
  std::string json(std::string_view select, const Map& parameters = {}) {
    Array items;
    for (Map& item : execute(select, parameters).items) items.emplace_back(std::move(item));
    return to_json(items);
  }
  std::uint64_t last_seq() { return store_of(*database_).last_local_seq(); }

  support::TempDir directory_;
  std::unique_ptr<Database> database_ = Database::open({.directory = directory_.path(), .executor = {}}).value();
};

TEST_F(DatabaseTest, SelectsWhatWasInserted) {
  const auto inserted = execute("INSERT INTO tasks DOCUMENTS (:t), ({_id: 'b', title: \"Bread\"})",
                                {{"t", Map{{"_id", "a"}, {"title", "Milk"}, {"n", 2}}}});
  EXPECT_THAT(inserted.mutated_ids, testing::ElementsAre("a", "b"));
  EXPECT_EQ(json("SELECT * FROM tasks"), json("SELECT * FROM tasks ORDER BY _id"));
  EXPECT_EQ(json("SELECT * FROM tasks"), R"([{"_id":"a","n":2,"title":"Milk"},{"_id":"b","title":"Bread"}])");
  EXPECT_EQ(json("SELECT * FROM tasks ORDER BY title LIMIT 1"), R"([{"_id":"b","title":"Bread"}])");
  EXPECT_EQ(json("SELECT * FROM tasks ORDER BY n DESC LIMIT :n", {{"n", 1}}), R"([{"_id":"a","n":2,"title":"Milk"}])");
  EXPECT_EQ(json("SELECT * FROM tasks WHERE _id = 'b'"), R"([{"_id":"b","title":"Bread"}])");
  EXPECT_EQ(json("SELECT * FROM nobody_wrote_here"), "[]");
}

TEST_F(DatabaseTest, MakesTimeOrderedIdsWhereNoneIsGiven) {
  const auto ids = execute("INSERT INTO c DOCUMENTS ({a: 1}), ({a: 2})").mutated_ids;
  ASSERT_EQ(ids.size(), 2u);
  EXPECT_EQ(ids[0].size(), 36u);
  EXPECT_EQ(ids[0][14], '7');
  EXPECT_NE(ids[0], ids[1]);
  EXPECT_EQ(execute("SELECT * FROM c WHERE _id = :id", {{"id", ids[1]}}).items.size(), 1u);
}

TEST_F(DatabaseTest, RefusesUnsuitableIds) {
  for (const Value& id : {Value(5), Value(nullptr), Value(""), Value(std::string(513, 'x')), Value("\xff")}) {
    EXPECT_EQ(refused("INSERT INTO c DOCUMENTS (:d)", {{"d", Map{{"_id", id}}}}), ErrorCode::InvalidArgument);
  }
  execute("INSERT INTO c DOCUMENTS (:d)", {{"d", Map{{"_id", std::string(512, 'x')}}}});
}

TEST_F(DatabaseTest, InsertsAllDocumentsOrNone) {
  execute("INSERT INTO c DOCUMENTS ({_id: 'b'})");
  EXPECT_EQ(refused("INSERT INTO c DOCUMENTS ({_id: 'a'}), ({_id: 'b'})"), ErrorCode::AlreadyExists);
  EXPECT_EQ(refused("INSERT INTO c DOCUMENTS ({_id: 'x'}), ({_id: 'x'})"), ErrorCode::AlreadyExists);
  EXPECT_EQ(json("SELECT * FROM c"), R"([{"_id":"b"}])");
}

TEST_F(DatabaseTest, ResolvesIdConflictsAsAsked) {
  execute("INSERT INTO c DOCUMENTS ({_id: 'a', x: 1, m: {p: 1, q: 2}})");
  const auto skipped = execute("INSERT INTO c DOCUMENTS ({_id: 'a', x: 2}), ({_id: 'b'}) ON ID CONFLICT DO NOTHING");
  EXPECT_THAT(skipped.mutated_ids, testing::ElementsAre("b"));
  EXPECT_EQ(json("SELECT * FROM c WHERE _id = 'a'"), R"([{"_id":"a","m":{"p":1,"q":2},"x":1}])");
  execute("INSERT INTO c DOCUMENTS ({_id: 'a', x: 2, m: {p: 3}}) ON ID CONFLICT DO UPDATE");
  EXPECT_EQ(json("SELECT * FROM c WHERE _id = 'a'"), R"([{"_id":"a","m":{"p":3,"q":2},"x":2}])");
  const auto before = last_seq();
  const std::string again = "INSERT INTO c DOCUMENTS ({_id: 'a', x: 2}) ON ID CONFLICT DO ";
  EXPECT_THAT(execute(again + "UPDATE_LOCAL_DIFF").mutated_ids, testing::IsEmpty());
  EXPECT_EQ(last_seq(), before);
  // Written again, the equal value is the youngest.
  EXPECT_THAT(execute(again + "UPDATE").mutated_ids, testing::ElementsAre("a"));
  EXPECT_EQ(last_seq(), before + 1);
}

TEST_F(DatabaseTest, UpdatesFieldsInPlace) {
  execute("INSERT INTO c DOCUMENTS ({_id: 'a', n: 1, m: {p: 1, q: 2}}), ({_id: 'b', n: 2})");
  EXPECT_THAT(execute("UPDATE c SET m.p = 5, copy = n, me = _id WHERE n = 1").mutated_ids, testing::ElementsAre("a"));
  EXPECT_EQ(json("SELECT * FROM c"), R"([{"_id":"a","copy":1,"m":{"p":5,"q":2},"me":"a","n":1},{"_id":"b","n":2}])");
  execute("UPDATE c SET n = m.p, m = :m WHERE _id = 'a'", {{"m", Map{{"z", Array{1}}}}});
  EXPECT_EQ(json("SELECT * FROM c WHERE _id = 'a'"), R"([{"_id":"a","copy":1,"m":{"z":[1]},"me":"a","n":5}])");
  execute("UPDATE c SET n = nothing, n2.deep = true WHERE _id = 'b'");
  EXPECT_EQ(json("SELECT * FROM c WHERE _id = 'b'"), R"([{"_id":"b","n2":{"deep":true}}])");
}

TEST_F(DatabaseTest, WritesNothingWhereTheValueIsEqual) {
  execute("INSERT INTO c DOCUMENTS ({_id: 'a', n: 1, m: {p: [1]}}), ({_id: 'b', n: 2})");
  const auto before = last_seq();
  EXPECT_THAT(execute("UPDATE c SET n = 1, m = {p: [1]}, gone = nothing WHERE _id = 'a'").mutated_ids,
              testing::IsEmpty());
  EXPECT_EQ(last_seq(), before);
  EXPECT_THAT(execute("UPDATE c SET n = 2").mutated_ids, testing::ElementsAre("a"));
  EXPECT_THAT(execute("UPDATE c SET n = 2.0 WHERE _id = 'a'").mutated_ids, testing::ElementsAre("a"));
}

TEST_F(DatabaseTest, CountsUpAndDown) {
  execute("INSERT INTO c DOCUMENTS ({_id: 'a', step: 3}), ({_id: 'b'})");
  EXPECT_THAT(execute("UPDATE c INCREMENT likes BY 1").mutated_ids, testing::ElementsAre("a", "b"));
  execute("UPDATE c INCREMENT likes BY step, per.day BY :n WHERE _id = 'a'", {{"n", -2}});
  EXPECT_EQ(json("SELECT * FROM c"), R"([{"_id":"a","likes":4,"per":{"day":-2},"step":3},{"_id":"b","likes":1}])");
  EXPECT_EQ(json("SELECT * FROM c WHERE likes > 2 AND per.day < 0"),
            R"([{"_id":"a","likes":4,"per":{"day":-2},"step":3}])");
  const auto before = last_seq();
  EXPECT_THAT(execute("UPDATE c INCREMENT likes BY 0").mutated_ids, testing::IsEmpty());
  EXPECT_EQ(last_seq(), before);
  execute("UPDATE c INCREMENT fresh BY 0 WHERE _id = 'b'");
  EXPECT_EQ(json("SELECT * FROM c WHERE _id = 'b'"), R"([{"_id":"b","fresh":0,"likes":1}])");
}

TEST_F(DatabaseTest, CountsNothingButCountersAndOnlyInWholeNumbers) {
  execute("INSERT INTO c DOCUMENTS ({_id: 'a', n: 1, text: 't', m: {}})");
  execute("UPDATE c INCREMENT likes BY 5");
  for (const char* statement : {
           "UPDATE c INCREMENT n BY 1",
           "UPDATE c INCREMENT text BY 0",
           "UPDATE c INCREMENT m BY 1",
           "UPDATE c INCREMENT likes.x BY 1",
           "UPDATE c INCREMENT likes BY 1.5",
           "UPDATE c INCREMENT likes BY 'x'",
           "UPDATE c INCREMENT likes BY nothing",
           "UPDATE c SET likes.x = 1",
       }) {
    EXPECT_EQ(refused(statement), ErrorCode::InvalidArgument) << statement;
  }
  EXPECT_EQ(json("SELECT * FROM c"), R"([{"_id":"a","likes":5,"m":{},"n":1,"text":"t"}])");
  execute("UPDATE c SET likes = 7");
  EXPECT_EQ(refused("UPDATE c INCREMENT likes BY 1"), ErrorCode::InvalidArgument);
  execute("UPDATE c SET likes = nothing");
  execute("UPDATE c INCREMENT likes BY 2");
  EXPECT_EQ(json("SELECT * FROM c"), R"([{"_id":"a","likes":2,"m":{},"n":1,"text":"t"}])");
}

TEST_F(DatabaseTest, DeletesWhatMatchesAndInsertRevives) {
  execute("INSERT INTO c DOCUMENTS ({_id: 'a', n: 1}), ({_id: 'b', n: 2})");
  EXPECT_THAT(execute("DELETE FROM c WHERE n < 2").mutated_ids, testing::ElementsAre("a"));
  EXPECT_THAT(execute("DELETE FROM c WHERE n < 2").mutated_ids, testing::IsEmpty());
  EXPECT_THAT(execute("UPDATE c SET n = 9 WHERE _id = 'a'").mutated_ids, testing::IsEmpty());
  EXPECT_EQ(json("SELECT * FROM c"), R"([{"_id":"b","n":2}])");
  execute("INSERT INTO c DOCUMENTS ({_id: 'a', x: 3})");
  EXPECT_EQ(json("SELECT * FROM c"), R"([{"_id":"a","x":3},{"_id":"b","n":2}])");
}

TEST_F(DatabaseTest, TakesHostileNamesAndTextAsData) {
  const std::string name = "x'); DROP TABLE documents; --\"";
  execute("INSERT INTO \"a'; DELETE FROM documents; --\" DOCUMENTS (:d)", {{"d", Map{{"_id", name}, {name, name}}}});
  execute("INSERT INTO other DOCUMENTS ({_id: 'keep'})");
  const std::string quoted = R"("x'); DROP TABLE documents; --""")";
  const Map parameters{{"v", name}};
  EXPECT_EQ(execute("SELECT * FROM \"a'; DELETE FROM documents; --\" WHERE " + quoted + " = :v ORDER BY " + quoted,
                    parameters)
                .items.size(),
            1u);
  EXPECT_EQ(execute("SELECT * FROM \"a'; DELETE FROM documents; --\" WHERE _id = 'x''); DROP TABLE documents; --\"'")
                .items.size(),
            1u);
  execute("UPDATE \"a'; DELETE FROM documents; --\" SET " + quoted + " = 1 WHERE _id LIKE :v", parameters);
  EXPECT_EQ(execute("SELECT * FROM other").items.size(), 1u);
}

TEST_F(DatabaseTest, RefusesDocumentsThatCannotBeStored) {
  Value deep = 1;
  for (int i = 0; i < 70; ++i) deep = Map{{"a", std::move(deep)}};
  EXPECT_EQ(refused("INSERT INTO c DOCUMENTS (:d)", {{"d", *deep.if_a<Map>()}}), ErrorCode::LimitExceeded);
  EXPECT_EQ(refused("INSERT INTO c DOCUMENTS (:d)", {{"d", Map{{"a", "\xff"}}}}), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused("INSERT INTO c DOCUMENTS (:d)", {{"d", Map{{"\xff", 1}}}}), ErrorCode::InvalidArgument);
  const std::string half(9u << 20, 'x');
  EXPECT_EQ(refused("INSERT INTO c DOCUMENTS (:d)", {{"d", Map{{"a", half}, {"b", half}}}}), ErrorCode::LimitExceeded);
  execute("INSERT INTO c DOCUMENTS (:d)", {{"d", Map{{"_id", "big"}, {"a", half}}}});
  EXPECT_EQ(refused("UPDATE c SET b = :b", {{"b", half}}), ErrorCode::LimitExceeded);
  EXPECT_EQ(refused("UPDATE c SET b = :b", {{"b", "\xff"}}), ErrorCode::InvalidArgument);
  execute("UPDATE c SET a = :b", {{"b", half + "y"}});
}

TEST_F(DatabaseTest, RunsTheLargestStatements) {
  execute("INSERT INTO c DOCUMENTS ({_id: 'a', n: 1})");
  std::string chain = "SELECT * FROM c WHERE n = 0", list = "SELECT * FROM c WHERE n IN (0";
  for (int i = 0; i < 4000; ++i) {
    chain += " OR n = " + std::to_string(4000 - i);
    list += ", " + std::to_string(4000 - i);
  }
  EXPECT_EQ(execute(chain).items.size(), 1u);
  EXPECT_EQ(execute(list + ")").items.size(), 1u);
}

TEST_F(DatabaseTest, ImportsTwiceWithoutWritingTwice) {
  const std::vector<Map> documents{{{"_id", "a"}, {"n", 1}, {"m", Map{{"p", 1}, {"q", Map{}}}}}, {{"_id", "b"}}};
  EXPECT_EQ(database_->import("c", documents).value(), (std::vector<std::string>{"a", "b"}));
  const auto before = last_seq();
  EXPECT_EQ(database_->import("c", documents).value().size(), 2u);
  EXPECT_EQ(last_seq(), before);
  database_->import("c", {{{"_id", "a"}, {"m", Map{{"p", 2}}}, {"x", 1}}}).value();
  EXPECT_EQ(json("SELECT * FROM c WHERE _id = 'a'"), R"([{"_id":"a","m":{"p":2},"x":1}])");
  EXPECT_EQ(last_seq(), before + 1);
}

TEST_F(DatabaseTest, ImportsAllOrNothing) {
  EXPECT_EQ(database_->import("c", {{{"_id", "a"}}, {{"_id", 5}}}).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(database_->import("__c", {}).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(json("SELECT * FROM c"), "[]");
  EXPECT_EQ(database_->import("c", {Map{}, Map{}}).value().size(), 2u);
}

TEST_F(DatabaseTest, ListsCollections) {
  execute("INSERT INTO b DOCUMENTS ({}), ({})");
  execute("INSERT INTO a DOCUMENTS ({})");
  using Count = std::pair<std::string, std::uint64_t>;
  EXPECT_THAT(database_->collections().value(), testing::ElementsAre(Count("a", 1), Count("b", 2)));
}

TEST_F(DatabaseTest, WorksOnAfterQuiesce) {
  execute("INSERT INTO c DOCUMENTS ({_id: 'a'})");
  EXPECT_TRUE(database_->quiesce(std::chrono::seconds(5)));
  EXPECT_EQ(json("SELECT * FROM c"), R"([{"_id":"a"}])");
  EXPECT_TRUE(database_->quiesce(std::chrono::seconds(5)));
  EXPECT_TRUE(Database::open({.directory = directory_.path(), .executor = {}}));
}

TEST_F(DatabaseTest, TellsTheCommitHookOfEachCommit) {
  std::vector<std::string> seen;
  set_commit_hook(*database_, [&](const store::SharedCommit& event) { seen.push_back(event->changes.front().id); });
  execute("INSERT INTO c DOCUMENTS ({_id: 'a'})");
  execute("UPDATE c SET x = 1");
  set_commit_hook(*database_, {});
  execute("UPDATE c SET x = 2");
  EXPECT_THAT(seen, testing::ElementsAre("a", "a"));
}

TEST_F(DatabaseTest, WarnsOfALargeDocumentAndWritesIt) {
  const auto small =
      execute("INSERT INTO c DOCUMENTS (:d)", {{"d", Map{{"_id", "a"}, {"t", std::string(200'000, 'x')}}}});
  EXPECT_THAT(small.warnings, testing::IsEmpty());
  const auto large =
      execute("INSERT INTO c DOCUMENTS (:d)", {{"d", Map{{"_id", "b"}, {"t", std::string(300'000, 'x')}}}});
  EXPECT_THAT(large.warnings, testing::ElementsAre(testing::HasSubstr("\"b\" of c takes 293 KiB")));
  EXPECT_EQ(json("SELECT _id FROM c"), R"([{"_id":"a"},{"_id":"b"}])");
}

TEST(DatabaseOpen, RefusesADirectoryThatMustExistAndDoesNot) {
  const support::TempDir directory;
  const auto opened = Database::open({.directory = directory.file("none"), .must_exist = true, .executor = {}});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace fermata
