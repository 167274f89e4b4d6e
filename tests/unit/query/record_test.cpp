#include <fermata/record.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "query/database_impl.hpp"
#include "support/temp_dir.hpp"
#include "support/value_generator.hpp"

namespace fermata {
namespace {

using ::testing::ElementsAre;

class Records : public ::testing::Test {
 protected:
  std::vector<DocumentRecord> all() {
    auto records = database_->export_records("c", "", 1000);
    EXPECT_TRUE(records);
    return records ? *records : std::vector<DocumentRecord>();
  }
  std::string text() {
    std::string lines;
    for (const DocumentRecord& record : all()) lines += to_json(record);
    return lines;
  }
  Result<std::vector<std::string>> import(const std::string& json) {
    return database_->import_records("c", {record_from_json(json).value()});
  }
  std::uint64_t last_seq() { return store_of(*database_).last_local_seq(); }

  support::TempDir directory_;
  std::unique_ptr<Database> database_ = Database::open({.directory = directory_.path(), .executor = {}}).value();
};

TEST_F(Records, ACounterIsExportedAsOneAndAnIntegerAsOne) {
  ASSERT_TRUE(database_->execute("INSERT INTO c DOCUMENTS ({_id: 'a', n: 7})"));
  ASSERT_TRUE(database_->execute("UPDATE c INCREMENT likes BY 3, stock.left BY -2"));
  EXPECT_EQ(text(), R"({"_id":"a","likes":{"$counter":3},"n":7,"stock":{"left":{"$counter":-2}}})");
}

TEST_F(Records, AnImportedCounterCountsOn) {
  ASSERT_TRUE(import(R"({"_id":"a","likes":{"$counter":3}})"));
  ASSERT_TRUE(database_->execute("UPDATE c INCREMENT likes BY 1"));
  EXPECT_EQ(text(), R"({"_id":"a","likes":{"$counter":4}})");
}

TEST_F(Records, ImportingACounterTwiceChangesNothing) {
  const std::string json = R"({"_id":"a","likes":{"$counter":3},"m":{"x":{"$counter":0},"y":1}})";
  ASSERT_TRUE(import(json));
  const auto before = last_seq();
  ASSERT_TRUE(import(json));
  EXPECT_EQ(last_seq(), before);
  EXPECT_EQ(text(), json);
}

TEST_F(Records, AnImportedCounterIsBroughtToTheNumberByCounting) {
  for (const std::string number : {"5", "-5", "0", "7"}) {
    ASSERT_TRUE(import(R"({"_id":"a","n":{"$counter":)" + number + "}}"));
    EXPECT_EQ(text(), R"({"_id":"a","n":{"$counter":)" + number + "}}");
  }
}

// What one device counts up in all, and down, ends there.
TEST_F(Records, TheGreatestCountersAreImported) {
  const std::string json = R"({"_id":"a","least":{"$counter":-9223372036854775807},)"
                           R"("most":{"$counter":9223372036854775807}})";
  ASSERT_TRUE(import(json));
  EXPECT_EQ(text(), json);
}

// An integer that no counter shows, so no export has written it.
TEST_F(Records, ACounterBelowTheLeastIsRefusedAndNotChanged) {
  const auto record = record_from_json(R"({"_id":"a","m":{"n":{"$counter":-9223372036854775808}}})").value();
  for (const Status& refused : {check_record(record), database_->import_records("c", {record}).map([](auto) {})}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::LimitExceeded);
    EXPECT_EQ(refused.error().message,
              "the counter m.n is -9223372036854775808, and a counter cannot be less than -9223372036854775807");
  }
  EXPECT_TRUE(all().empty());
}

TEST_F(Records, ACounterThatCountsNoFurtherIsStillBroughtToTheNumber) {
  ASSERT_TRUE(database_->execute("INSERT INTO c DOCUMENTS ({_id: 'a'})"));
  ASSERT_TRUE(database_->execute("UPDATE c INCREMENT n BY 9223372036854775807"));
  ASSERT_TRUE(database_->execute("UPDATE c INCREMENT n BY -9223372036854775807"));
  for (const std::string number : {"5", "-9223372036854775807", "9223372036854775807", "-7"}) {
    const std::string json = R"({"_id":"a","n":{"$counter":)" + number + "}}";
    ASSERT_TRUE(import(json));
    EXPECT_EQ(text(), json);
    const auto before = last_seq();
    ASSERT_TRUE(import(json));
    EXPECT_EQ(last_seq(), before);
  }
}

TEST_F(Records, WhatStandsWhereACounterIsImportedGivesWay) {
  for (const char* before : {R"({"_id":"a","n":5})", R"({"_id":"a","n":{"x":1}})", R"({"_id":"a","n":{}})"}) {
    ASSERT_TRUE(import(before));
    ASSERT_TRUE(import(R"({"_id":"a","n":{"$counter":5}})"));
    EXPECT_EQ(text(), R"({"_id":"a","n":{"$counter":5}})");
    ASSERT_TRUE(import(before));
    EXPECT_EQ(text(),
              before == std::string_view(R"({"_id":"a","n":5})") ? R"({"_id":"a","n":{"$counter":5}})" : before);
    ASSERT_TRUE(import(R"({"_id":"a"})"));
    EXPECT_EQ(text(), R"({"_id":"a"})");
  }
}

TEST_F(Records, AMapAboveACounterMayReplaceAScalar) {
  ASSERT_TRUE(import(R"({"_id":"a","m":5})"));
  ASSERT_TRUE(import(R"({"_id":"a","m":{"n":{"$counter":1}}})"));
  EXPECT_EQ(text(), R"({"_id":"a","m":{"n":{"$counter":1}}})");
}

TEST_F(Records, ACounterPathThatLeadsToNoIntegerIsRefused) {
  const DocumentRecord record{.fields = {{"_id", "a"}, {"n", "text"}}, .counters = {{"n"}}};
  EXPECT_EQ(database_->import_records("c", {record}).error().code, ErrorCode::InvalidArgument);
  EXPECT_TRUE(all().empty());
}

TEST_F(Records, ACounterThatCannotBeOneIsToldByItsPlace) {
  const auto id = import(R"({"_id":{"$counter":3}})");
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().message, "_id names the document and cannot count");
  const auto text = record_from_json(R"({"_id":"a","b":{"c":{"$counter":"x"}}})");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().message, "JSON: \"$counter\" in \"b.c\" must be an integer of 64 bits");
}

// 16 MiB are the body and what is kept beside it. What a check lets pass is imported, and nothing else.
TEST_F(Records, ARecordThatIsTooLargeWithItsMetadataIsFoundByACheck) {
  const auto expect = [&](const DocumentRecord& record, bool fits) {
    const std::optional<ErrorCode> wanted = fits ? std::nullopt : std::optional(ErrorCode::LimitExceeded);
    const auto code_of = [](const Status& status) {
      return status ? std::nullopt : std::optional(status.error().code);
    };
    EXPECT_EQ(code_of(check_record(record)), wanted);
    EXPECT_EQ(code_of(database_->import_records("c", {record}).map([](auto) {})), wanted);
  };
  constexpr std::size_t kMost = std::size_t{16} << 20;
  expect({.fields = {{"_id", "a"}, {"t", std::string(kMost - 100, 'x')}}, .counters = {}}, true);
  expect({.fields = {{"_id", "b"}, {"t", std::string(kMost - 20, 'x')}}, .counters = {}}, false);
  // The path of each counter and of each empty map stands in the metadata once more.
  for (const std::size_t leaves : {10u, 100u}) {
    for (const bool is_counter : {false, true}) {
      DocumentRecord record{.fields = {}, .counters = {}};
      Map leaf;
      for (std::size_t i = 0; i < leaves; ++i) leaf.emplace(std::to_string(i), is_counter ? Value(1) : Value(Map{}));
      FieldPath path;
      for (int level = 0; level < 3; ++level) path.push_back(std::string(60'000, 'x'));
      for (const auto& [name, value] : leaf) {
        if (!is_counter) continue;
        record.counters.push_back(path);
        record.counters.back().push_back(name);
      }
      Value value(std::move(leaf));
      for (const std::string& name : path) value = Map{{name, std::move(value)}};
      record.fields = std::move(*value.if_a<Map>());
      record.fields.emplace("_id", "c");
      expect(record, leaves == 10);
    }
  }
}

TEST_F(Records, CountersAreAmongTheValuesThatADocumentMayHave) {
  DocumentRecord record{.fields = {{"_id", "a"}, {"n", 1}, {"l", Array(250'000 - 2, Value(1))}}, .counters = {{"n"}}};
  EXPECT_TRUE(check_record(record));
  EXPECT_TRUE(database_->import_records("c", {record}));
  record.fields.at("l").if_a<Array>()->emplace_back(1);
  EXPECT_EQ(check_record(record).error().code, ErrorCode::LimitExceeded);
  EXPECT_EQ(database_->import_records("c", {record}).error().code, ErrorCode::LimitExceeded);
}

TEST_F(Records, ACollectionIsReadInSteps) {
  for (const char* id : {"b", "d", "a", "c", "e"}) ASSERT_TRUE(database_->import("c", {Map{{"_id", id}}}));
  ASSERT_TRUE(database_->execute("DELETE FROM c WHERE _id = 'd'"));
  const auto ids = [&](const char* after) {
    std::vector<std::string> found;
    const auto records = database_->export_records("c", after, 2).value();
    for (const auto& record : records) {
      found.push_back(*record.fields.at("_id").if_a<std::string>());
    }
    return found;
  };
  EXPECT_THAT(ids(""), ElementsAre("a", "b"));
  EXPECT_THAT(ids("b"), ElementsAre("c", "e"));
  EXPECT_THAT(ids("e"), ElementsAre());
  EXPECT_TRUE(database_->export_records("unknown", "", 2)->empty());
}

TEST(RecordJson, ACounterMarkIsFoundBelowMaps) {
  const auto record = record_from_json(R"({"a":{"b":{"$counter":1}},"c":{"$price":{"$counter":2}}})");
  ASSERT_TRUE(record);
  EXPECT_THAT(record->counters, ElementsAre(FieldPath{"a", "b"}, FieldPath{"c", "$price"}));
  EXPECT_EQ(record->fields.at("c"), Value(Map{{"$price", 2}}));
}

// An array is one value; nobody could count on what is in it.
TEST(RecordJson, ACounterInAnArrayIsRefusedAndTheArrayNamed) {
  for (const char* array :
       {R"([{"$counter":2}])", R"([1,[{"$counter":2}]])", R"([{"x":{"$counter":2},"y":[]}])",
        R"([{"$map":{"$x":{"$counter":2}}}])", R"([{"$x":{"$counter":2}}])", R"([{"$counter":"text"}])"}) {
    const auto record = record_from_json(R"({"_id":"a","m":{"list":)" + std::string(array) + "}}");
    ASSERT_FALSE(record) << array;
    EXPECT_EQ(record.error().code, ErrorCode::Malformed) << array;
    EXPECT_EQ(record.error().message,
              "JSON: the array in \"m.list\" holds a \"$counter\", and only a field of its own can count; write the "
              "number alone, or {\"$map\":{\"$counter\":…}} for a map with that key");
  }
}

TEST(RecordJson, AMapInAnArrayWithTheKeyOfACounterIsAMap) {
  const DocumentRecord record{.fields = {{"c", Array{Map{{"$counter", 2}}, Map{{"m", Map{{"$counter", 3}}}}}}},
                              .counters = {}};
  const auto back = record_from_json(to_json(record));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->fields, record.fields);
  EXPECT_TRUE(back->counters.empty());
}

TEST(RecordJson, ACounterThatIsNoIntegerIsRefused) {
  for (const char* text : {R"({"a":{"$counter":1.5}})", R"({"a":{"$counter":"1"}})"}) {
    EXPECT_EQ(record_from_json(text).error().code, ErrorCode::Malformed);
  }
  EXPECT_EQ(record_from_json("[]").error().code, ErrorCode::TypeMismatch);
}

// Some of the integers below maps, as counters.
void choose_counters(const Map& map, FieldPath& path, DocumentRecord& record) {
  for (const auto& [key, value] : map) {
    path.push_back(key);
    if (value.if_a<std::int64_t>() != nullptr && *rc::gen::arbitrary<bool>()) record.counters.push_back(path);
    if (const Map* inner = value.if_a<Map>()) choose_counters(*inner, path, record);
    path.pop_back();
  }
}

RC_GTEST_PROP(RecordJson, WhatIsWrittenIsReadBack, ()) {
  const Value value = *generate_value(3);
  DocumentRecord record{.fields = Map{{"x", value}}, .counters = {}};
  FieldPath path;
  choose_counters(record.fields, path, record);
  const auto back = record_from_json(to_json(record));
  RC_ASSERT(back.has_value());
  RC_ASSERT(back->fields == record.fields);
  RC_ASSERT(back->counters == record.counters);
}

}  // namespace
}  // namespace fermata
