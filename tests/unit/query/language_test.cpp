// The language through the public API: several statements as one, values of every kind as parameters, and statements
// that mean harm.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <thread>

#include "query/database_impl.hpp"
#include "support/temp_dir.hpp"

namespace fermata {
namespace {

class LanguageTest : public testing::Test {
 protected:
  QueryResult execute(std::string_view statement, const Map& parameters = {}) {
    auto result = database_->execute(statement, parameters);
    EXPECT_TRUE(result) << statement.substr(0, 200) << "\n" << (result ? "" : result.error().message);
    return result ? std::move(*result) : QueryResult{};
  }
  ErrorCode refused(std::string_view statement, const Map& parameters = {}) {
    const auto result = database_->execute(statement, parameters);
    EXPECT_FALSE(result) << statement.substr(0, 200);
    return result ? ErrorCode::Io : result.error().code;
  }
  // The one value "v" of the one row.
  Value value_of(std::string_view statement, const Map& parameters = {}) {
    auto result = execute(statement, parameters);
    EXPECT_EQ(result.items.size(), 1u) << statement.substr(0, 200);
    if (result.items.size() != 1) return {};
    const auto found = result.items.front().find("v");
    return found == result.items.front().end() ? Value("nothing") : found->second;
  }
  static std::string repeated(std::string_view text, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) all += text;
    return all;
  }

  support::TempDir directory_;
  std::unique_ptr<Database> database_ = Database::open({.directory = directory_.path(), .executor = {}}).value();
};

TEST_F(LanguageTest, ATransactionSeesWhatItWroteAndNobodyElseDoesBefore) {
  execute("INSERT INTO stock DOCUMENTS ({_id: 'milk', left: 1})");
  const auto buy = [&] {
    return database_->transaction([](Transaction& t) -> Status {
      auto taken = t.execute("UPDATE stock SET left = left - 1 WHERE _id = 'milk' AND left > 0 RETURNING left");
      if (!taken) return fail(taken.error());
      if (taken->mutated_ids.empty()) return fail(ErrorCode::NotFound, "sold out");
      EXPECT_EQ(to_json(taken->items[0]), R"({"left":0})");
      auto ordered = t.execute("INSERT INTO orders DOCUMENTS ({item: 'milk'})");
      const auto seen = t.execute("SELECT count(*) AS n FROM orders");
      EXPECT_EQ(to_json(seen->items[0]), R"({"n":1})");
      return ordered ? Status() : fail(ordered.error());
    });
  };
  EXPECT_TRUE(buy());
  const auto again = buy();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message, "sold out");
  EXPECT_EQ(value_of("SELECT count(*) AS v FROM orders"), Value(1));
  EXPECT_EQ(value_of("SELECT left AS v FROM stock"), Value(0));
}

TEST_F(LanguageTest, AfterAnErrorInsideNothingOfATransactionIsKeptWhateverItReturns) {
  const auto done = database_->transaction([](Transaction& t) -> Status {
    EXPECT_TRUE(t.execute("INSERT INTO c DOCUMENTS ({_id: 'a'}), ({_id: 'b'})"));
    EXPECT_TRUE(t.execute("CREATE INDEX by_x ON c (x)"));
    EXPECT_FALSE(t.execute("INSERT INTO c DOCUMENTS ({_id: 'c'}), ({_id: 'a'})"));
    EXPECT_FALSE(t.execute("SELECT * FROM c"));
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::AlreadyExists);
  EXPECT_TRUE(execute("SELECT * FROM c").items.empty());
  EXPECT_TRUE(execute("SHOW INDEXES").items.empty());
  EXPECT_EQ(execute("INSERT INTO c DOCUMENTS ({_id: 'a'})").mutated_ids.size(), 1u);
}

// The next collection to be made is known by the number that the one rolled back had.
TEST_F(LanguageTest, ACollectionOfATransactionThatFailedIsNotTakenForTheNextOne) {
  EXPECT_FALSE(database_->transaction([](Transaction& t) -> Status {
    EXPECT_TRUE(t.execute("INSERT INTO gone DOCUMENTS ({_id: 'a'})"));
    EXPECT_EQ(t.execute("UPDATE gone SET x = 1")->mutated_ids.size(), 1u);
    return fail(ErrorCode::InvalidArgument, "enough");
  }));
  execute("INSERT INTO c DOCUMENTS ({_id: 'b'})");
  EXPECT_TRUE(execute("UPDATE gone SET x = 1").mutated_ids.empty());
  EXPECT_TRUE(execute("SELECT * FROM gone").items.empty());
  EXPECT_EQ(execute("SELECT x FROM c").items.front().size(), 0u);
}

TEST_F(LanguageTest, ASyntaxErrorInsideEndsATransactionToo) {
  EXPECT_FALSE(database_->transaction([](Transaction& t) -> Status {
    EXPECT_TRUE(t.execute("INSERT INTO c DOCUMENTS ({_id: 'a'})"));
    EXPECT_FALSE(t.execute("SELEKT"));
    return {};
  }));
  EXPECT_TRUE(execute("SELECT * FROM c").items.empty());
}

TEST_F(LanguageTest, WhatIsNestedIsRefusedAndNoDeadlock) {
  const support::TempDir elsewhere;
  const auto other = Database::open({.directory = elsewhere.path(), .executor = {}}).value();
  const auto done = database_->transaction([&](Transaction& t) -> Status {
    EXPECT_EQ(refused("SELECT * FROM c"), ErrorCode::InvalidArgument);
    EXPECT_EQ(refused("INSERT INTO c DOCUMENTS ({})"), ErrorCode::InvalidArgument);
    EXPECT_FALSE(database_->transaction([](Transaction&) { return Status(); }));
    EXPECT_FALSE(database_->snapshot([](const Snapshot&) { return Status(); }));
    EXPECT_FALSE(database_->observe("SELECT * FROM c", [](const QueryResult&) {}));
    EXPECT_FALSE(database_->import("c", {Map{{"x", 1}}}));
    EXPECT_FALSE(database_->collections());
    EXPECT_FALSE(database_->checkpoint());
    EXPECT_FALSE(database_->compact());
    EXPECT_FALSE(database_->backup(directory_.path() + "/copy"));
    EXPECT_FALSE(database_->quiesce(std::chrono::seconds(1)));
    EXPECT_FALSE(database_->export_records("c", "", 1));
    EXPECT_FALSE(other->transaction([&](Transaction&) {
      EXPECT_FALSE(database_->checkpoint());
      return Status(fail(ErrorCode::NotFound, "no"));
    }));
    const auto written = t.execute("INSERT INTO c DOCUMENTS ({_id: 'a'})");
    return written ? Status() : fail(written.error());
  });
  EXPECT_TRUE(done);
  EXPECT_TRUE(database_->snapshot([&](const Snapshot& s) -> Status {
    EXPECT_EQ(refused("SELECT * FROM c"), ErrorCode::InvalidArgument);
    EXPECT_FALSE(database_->transaction([](Transaction&) { return Status(); }));
    EXPECT_FALSE(s.execute("INSERT INTO c DOCUMENTS ({})"));
    EXPECT_FALSE(s.execute("CREATE INDEX i ON c (x)"));
    EXPECT_TRUE(s.execute("SHOW INDEXES"));
    EXPECT_TRUE(s.execute("EXPLAIN SELECT * FROM c"));
    return {};
  }));
  EXPECT_EQ(value_of("SELECT count(*) AS v FROM c"), Value(1));
}

TEST_F(LanguageTest, ASnapshotDoesNotSeeWhatIsWrittenLater) {
  execute("INSERT INTO c DOCUMENTS ({_id: 'a', n: 1})");
  std::mutex mutex;
  std::condition_variable moved;
  int step = 0;
  const auto reach = [&](int mine, int next) {
    std::unique_lock lock(mutex);
    moved.wait(lock, [&] { return step == mine; });
    step = next;
    moved.notify_all();
  };
  std::thread writer([&] {
    reach(1, 2);
    EXPECT_TRUE(database_->execute("UPDATE c SET n = 2"));
    EXPECT_TRUE(database_->execute("INSERT INTO c DOCUMENTS ({_id: 'b'})"));
    reach(2, 3);
  });
  EXPECT_TRUE(database_->snapshot([&](const Snapshot& s) -> Status {
    EXPECT_EQ(to_json(s.execute("SELECT n FROM c")->items[0]), R"({"n":1})");
    reach(0, 1);
    reach(3, 4);
    EXPECT_EQ(s.execute("SELECT n FROM c")->items.size(), 1u);
    EXPECT_EQ(to_json(s.execute("SELECT n FROM c")->items[0]), R"({"n":1})");
    return {};
  }));
  writer.join();
  EXPECT_EQ(execute("SELECT * FROM c").items.size(), 2u);
}

TEST_F(LanguageTest, EvictsNothingWhenTheRuleRefusesOneDocument) {
  execute("INSERT INTO c DOCUMENTS ({_id: 'a', keep: true}), ({_id: 'b'})");
  set_eviction_rule(*database_, [](std::string_view, std::string_view id, const Map& fields) -> Status {
    if (fields.contains("keep")) return fail(ErrorCode::InvalidArgument, "kept: " + std::string(id));
    return {};
  });
  EXPECT_EQ(refused("EVICT FROM c"), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused("EVICT FROM c RETURNING *"), ErrorCode::InvalidArgument);
  EXPECT_EQ(execute("SELECT * FROM c").items.size(), 2u);
  EXPECT_THAT(execute("EVICT FROM c WHERE keep IS MISSING").mutated_ids, testing::ElementsAre("b"));
  EXPECT_THAT(execute("DELETE FROM c").mutated_ids, testing::ElementsAre("a"));
}

TEST_F(LanguageTest, AStatementIsUsedAgainWithOtherParameters) {
  execute("INSERT INTO c DOCUMENTS ({_id: 'a', x: 1, t: 'milk'}), ({_id: 'b', x: '1', t: 'bread'})");
  const auto ids = [&](std::string_view statement, const Map& parameters) {
    std::string all;
    for (const Map& row : execute(statement, parameters).items) all += *row.at("_id").if_a<std::string>();
    return all;
  };
  constexpr std::string_view kEqual = "SELECT _id FROM c WHERE x = :p";
  EXPECT_EQ(ids(kEqual, {{"p", 1}}), "a");
  EXPECT_EQ(ids(kEqual, {{"p", "1"}}), "b");
  EXPECT_EQ(ids(kEqual, {{"p", nullptr}}), "");
  EXPECT_EQ(ids(kEqual, {{"p", Array{1}}}), "");
  EXPECT_EQ(ids(kEqual, {{"p", 1.0}, {"unused", 5}}), "a");
  EXPECT_EQ(refused(kEqual), ErrorCode::InvalidArgument);
  constexpr std::string_view kIn = "SELECT _id FROM c WHERE x IN (:p)";
  EXPECT_EQ(ids(kIn, {{"p", Array{1, "1"}}}), "ab");
  EXPECT_EQ(ids(kIn, {{"p", Array{}}}), "");
  EXPECT_EQ(ids(kIn, {{"p", 1}}), "a");
  constexpr std::string_view kLike = "SELECT _id FROM c WHERE t LIKE :p";
  EXPECT_EQ(ids(kLike, {{"p", "m%"}}), "a");
  EXPECT_EQ(refused(kLike, {{"p", 5}}), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused(kLike, {{"p", std::string(1025, '%')}}), ErrorCode::LimitExceeded);
  EXPECT_EQ(ids(kLike, {{"p", "b%"}}), "b");
  EXPECT_EQ(ids("SELECT _id FROM c ORDER BY _id LIMIT :n OFFSET :o", {{"n", 1}, {"o", 1}}), "b");
  EXPECT_EQ(refused("SELECT _id FROM c LIMIT :n", {{"n", "1"}}), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused("SELECT _id FROM c LIMIT :n", {{"n", -1}}), ErrorCode::InvalidArgument);
}

TEST_F(LanguageTest, ParametersOfEveryKindCanBeComparedComputedWithAndGivenBack) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Value values[] = {nullptr,
                          true,
                          0,
                          -1,
                          std::numeric_limits<std::int64_t>::min(),
                          std::numeric_limits<std::int64_t>::max(),
                          0.0,
                          -0.0,
                          1.5,
                          kInfinity,
                          -kInfinity,
                          nan,
                          "",
                          "text",
                          std::string("a\0b", 3),
                          "'\"\\",
                          Bytes{},
                          Bytes{0, 255},
                          Array{},
                          Array{1, nullptr, nan},
                          Map{},
                          Map{{"", Map{{"$x", 1}}}},
                          Timestamp::parse("0001-01-01T00:00:00Z").value(),
                          Attachment::make({1}, 5, {{"a", "b"}}).value()};
  execute("INSERT INTO one DOCUMENTS ({_id: '1', l: [1, 2], t: 'text', m: {a: 1}})");
  constexpr const char* kExpressions[] = {":p + :q",
                                          ":p - :q",
                                          ":p * :q",
                                          ":p / :q",
                                          ":p % :q",
                                          "-:p",
                                          ":p || :q",
                                          ":p = :q",
                                          ":p < :q",
                                          ":p IN (:q)",
                                          ":p IN :q",
                                          ":p CONTAINS :q",
                                          ":p BETWEEN :q AND :p",
                                          "NOT :p",
                                          ":p IS NULL",
                                          "l[:p]",
                                          ":p[:q]",
                                          "t || :p",
                                          "abs(:p)",
                                          "round(:p, :q)",
                                          "power(:p, :q)",
                                          "least(:p, :q)",
                                          "greatest(:p, :q)",
                                          "number(:p)",
                                          "substr(t, :p, :q)",
                                          "substr(:p, :q)",
                                          "replace(t, :p, :q)",
                                          "split(:p, :q)",
                                          "position(:p, :q)",
                                          "text(:p)",
                                          "array_slice(l, :p, :q)",
                                          "array_append(l, :p, :q)",
                                          "array_remove(l, :p)",
                                          "array_concat(l, :p)",
                                          "array_distinct(:p)",
                                          "array_join(:p, :q)",
                                          "object_keys(:p)",
                                          "contains(:p, :q)",
                                          "coalesce(:p, :q)",
                                          "nullif(:p, :q)",
                                          "if(:p, :q)",
                                          "type(:p)",
                                          "timestamp(:p)",
                                          "epoch_ms(:p)",
                                          "date_add(:p, :q, 'day')",
                                          "date_add('2026-01-01', :p, 'month')",
                                          "date_diff(:p, :q, 'month')",
                                          "date_part(:p, 'weekday')",
                                          "date_trunc(:p, 'week')",
                                          "ANY x IN :p SATISFIES x = :q END"};
  const Value others[] = {nullptr, -1, std::numeric_limits<std::int64_t>::max(), 1.5, "t", Array{1}, Map{}};
  for (const Value& p : values) {
    EXPECT_EQ(to_json(value_of("SELECT :p AS v FROM one", {{"p", p}})), to_json(p));
    for (const Value& q : others) {
      for (const std::string expression : kExpressions) {
        const Map parameters = {{"p", p}, {"q", q}};
        const Value alone = value_of("SELECT " + expression + " AS v FROM one GROUP BY " + expression, parameters);
        const auto matched = execute("SELECT _id FROM one WHERE " + expression, parameters);
        const auto* boolean = alone.if_a<bool>();
        const auto* integer = alone.if_a<std::int64_t>();
        const auto* real = alone.if_a<double>();
        const bool is_true = (boolean != nullptr && *boolean) || (integer != nullptr && *integer != 0) ||
                             (real != nullptr && !std::isnan(*real) && *real != 0);
        EXPECT_EQ(matched.items.size(), is_true ? 1u : 0u)
            << expression << " of " << to_json(p) << " and " << to_json(q);
      }
    }
  }
}

TEST_F(LanguageTest, HugeAndDeepStatementsAreAnsweredOrRefusedWithAReason) {
  execute("INSERT INTO c DOCUMENTS ({_id: 'a', x: 1, l: [1]})");
  const auto where = [](const std::string& condition) { return "SELECT _id AS v FROM c WHERE " + condition; };
  EXPECT_EQ(value_of(where(repeated("(", 60) + "x = 1" + repeated(")", 60))), Value("a"));
  for (const char* open : {"(", "-(", "abs(", "NOT (", "x IN (", "[", "{a: ", "l[", "ANY x IN l SATISFIES "}) {
    const ErrorCode code = refused(where(repeated(open, 100'000)));
    EXPECT_TRUE(code == ErrorCode::LimitExceeded || code == ErrorCode::Syntax) << open;
  }
  EXPECT_EQ(value_of(where(repeated("NOT ", 200) + "x = 1")), Value("a"));
  EXPECT_EQ(refused(where(repeated("NOT ", 201) + "x = 1")), ErrorCode::LimitExceeded);
  EXPECT_EQ(refused(where(repeated("NOT ", 100'000) + "x = 1")), ErrorCode::LimitExceeded);
  EXPECT_EQ(refused("SELECT " + repeated("NOT ", 201) + "x AS v FROM c"), ErrorCode::LimitExceeded);
  EXPECT_EQ(value_of(where("NOT x = 2" + repeated(" AND NOT x = 2", 300))), Value("a"));
  EXPECT_EQ(value_of(where("x = 1" + repeated(" AND x = 1", 4'000))), Value("a"));
  EXPECT_EQ(value_of(where("x = 2" + repeated(" OR x = 1", 4'000))), Value("a"));
  EXPECT_EQ(refused(where("x = 1" + repeated(" OR x = 1", 20'000))), ErrorCode::LimitExceeded);
  EXPECT_EQ(value_of(where("x = 1" + repeated(" + 0", 150))), Value("a"));
  EXPECT_EQ(refused(where("x = 1" + repeated(" + 0 * x", 150))), ErrorCode::LimitExceeded);
  EXPECT_EQ(refused(where("x = 1" + repeated(" || l", 10'000))), ErrorCode::LimitExceeded);
  EXPECT_EQ(refused(where("x" + repeated("[0]", 10'000))), ErrorCode::LimitExceeded);
  EXPECT_EQ(refused(where("x" + repeated(".y", 10'000) + " = 1")), ErrorCode::LimitExceeded);
  EXPECT_EQ(value_of(where("x IN (1" + repeated(", 2", 9'000) + ")")), Value("a"));
  EXPECT_EQ(refused(where("x IN (1" + repeated(", 2", 20'000) + ")")), ErrorCode::LimitExceeded);
  EXPECT_EQ(refused(where("x = '" + std::string(1 << 20, 'x') + "'")), ErrorCode::LimitExceeded);
  EXPECT_EQ(value_of(where("x = 1" + repeated(" ", 500'000))), Value("a"));
  EXPECT_EQ(refused("SELECT " + repeated("x,", 20'000) + " x FROM c"), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused(where("x = 1" + repeated("9", 5'000))), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused(where("x = 1\xff")), ErrorCode::Syntax);
  EXPECT_EQ(refused(std::string("SELECT * FROM c\0", 16)), ErrorCode::Syntax);
}

TEST_F(LanguageTest, WhatAFunctionMakesStaysWithinALimit) {
  execute("INSERT INTO c DOCUMENTS (:d)",
          {{"d", Map{{"_id", "a"}, {"t", std::string(1000, ',')}, {"l", Array(1000, Value("x"))}}}});
  const Map big = {{"s", std::string(1 << 19, 'x')}};
  EXPECT_EQ(value_of("SELECT array_join(l, :s) AS v FROM c", big), Value(nullptr));
  EXPECT_EQ(value_of("SELECT replace(t, ',', :s) AS v FROM c", big), Value(nullptr));
  EXPECT_EQ(value_of("SELECT concat(:s, :s, t) AS v FROM c", big), Value(nullptr));
  EXPECT_EQ(value_of("SELECT split(:s, 'x') AS v FROM c", big), Value(nullptr));
  EXPECT_EQ(value_of("SELECT length(:s || t) AS v FROM c", big), Value((1 << 19) + 1000));
}

TEST_F(LanguageTest, ALiveQueryGoesOnWhenItsIndexIsDropped) {
  execute("CREATE INDEX by_x ON c (x)");
  execute("CREATE FULLTEXT INDEX words ON c (t)");
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t rows = 0, found = 0;
  const auto watch = [&](std::string_view select, std::size_t& count) {
    return database_->observe(select, [&](const QueryResult& result) {
      const std::lock_guard lock(mutex);
      count = result.items.size();
      changed.notify_all();
    });
  };
  const auto ordered = watch("SELECT x FROM c WHERE x > 0 ORDER BY x LIMIT 10", rows);
  const auto searched = watch("SELECT * FROM c WHERE words MATCH 'milk'", found);
  ASSERT_TRUE(ordered && searched);
  const auto reaches = [&](std::size_t wanted_rows, std::size_t wanted_found) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(60),
                            [&] { return rows == wanted_rows && found == wanted_found; });
  };
  execute("INSERT INTO c DOCUMENTS ({_id: 'a', x: 1, t: 'milk'}), ({_id: 'b', x: -1, t: 'bread'})");
  EXPECT_TRUE(reaches(1, 1));
  execute("DROP INDEX by_x");
  execute("UPDATE c SET x = 2, t = 'milk and bread' WHERE _id = 'b'");
  EXPECT_TRUE(reaches(2, 2));
  execute("DROP INDEX words");
  execute("INSERT INTO c DOCUMENTS ({_id: 'c', x: 3, t: 'milk'})");
  EXPECT_TRUE(reaches(3, 2));
}

}  // namespace
}  // namespace fermata
