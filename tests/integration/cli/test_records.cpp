// What an import makes of single records: their counters, ids and sizes.
#include "integration/cli/fixture.hpp"

namespace fermata::test {
namespace {

class ImportedRecords : public CommandLine {
 protected:
  Outcome import(const std::string& name, const std::string& content, const Words& more = {}) {
    Words words{"import", directory_, "things", folder_.file(name, content)};
    words.insert(words.end(), more.begin(), more.end());
    return fermata(words);
  }
  std::string exported(const std::string& format = "ndjson", const std::string& collection = "things") {
    const Outcome run = fermata({"export", directory_, collection, "--format", format});
    EXPECT_EQ(run.code, 0) << run;
    return run.out;
  }
  // Through each format that holds every value, into another collection, twice.
  void expect_to_come_back(const std::string& lines) {
    for (const std::string format : {"json", "ndjson"}) {
      const std::string file = folder_.file("back." + format, exported(format));
      for (int round = 0; round < 2; ++round) {
        const Outcome run = fermata({"import", directory_, format, file});
        EXPECT_EQ(run.code, 0) << run;
        EXPECT_EQ(exported("ndjson", format), lines);
      }
    }
  }
};

TEST_F(ImportedRecords, CountersAtBothEndsComeBackAsTheyWere) {
  const std::string lines =
      "{\"_id\":\"a\",\"least\":{\"$counter\":-9223372036854775807},\"most\":{\"$counter\":9223372036854775807}}\n";
  ASSERT_EQ(import("a.ndjson", lines).code, 0);
  EXPECT_EQ(exported(), lines);
  expect_to_come_back(lines);
}

TEST_F(ImportedRecords, ACounterThatNoneCanShowIsABadRecord) {
  const std::string lines = "{\"_id\":\"a\"}\n{\"_id\":\"b\",\"n\":{\"$counter\":-9223372036854775808}}\n";
  expect_one_clear_line(import("a.ndjson", lines), 8, "line 2: the counter n is -9223372036854775808");
  const Outcome run = import("a.ndjson", lines, {"--skip-bad"});
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_EQ(exported(), "{\"_id\":\"a\"}\n") << run;
}

TEST_F(ImportedRecords, ACounterInAnArrayIsABadRecord) {
  const std::string lines = "{\"_id\":\"a\"}\n{\"_id\":\"b\",\"m\":{\"list\":[1,{\"$counter\":2}]}}\n";
  const std::string words = "line 2: the array in \"m.list\" holds a \"$counter\"";
  expect_one_clear_line(import("a.ndjson", lines), 9, words);
  EXPECT_EQ(exported(), "");
  const Outcome run = import("a.ndjson", lines, {"--skip-bad", "--json"});
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_NE(run.err.find(words), std::string::npos) << run;
  EXPECT_NE(run.out.find("\"skipped\":1"), std::string::npos) << run;
  EXPECT_EQ(exported(), "{\"_id\":\"a\"}\n");
}

TEST_F(ImportedRecords, AMapWithTheKeyOfACounterComesBackFromWithinAnArray) {
  const std::string lines =
      "{\"_id\":\"a\",\"l\":[{\"$map\":{\"$counter\":2}},{\"x\":{\"$map\":{\"$counter\":3}},\"y\":1}],"
      "\"m\":{\"$map\":{\"$counter\":4}}}\n";
  ASSERT_EQ(import("a.ndjson", lines).code, 0);
  EXPECT_EQ(exported(), lines);
  expect_to_come_back(lines);
}

TEST_F(ImportedRecords, AnIntegerThatIsTheIdBecomesTheSameTextFromEachFormat) {
  const std::string line = "{\"_id\":\"-7\",\"n\":1}\n";
  const std::map<std::string, std::string> files{
      {"a.json", R"([{"_id":-7,"n":1}])"}, {"a.ndjson", "{\"_id\":-7,\"n\":1}\n"}, {"a.csv", "_id,n\n-7,1\n"}};
  for (const auto& [name, content] : files) {
    const Outcome run = import(name, content);
    EXPECT_EQ(run.code, 0) << run;
    EXPECT_EQ(exported(), line) << name;
  }
  expect_to_come_back(line);
}

TEST_F(ImportedRecords, ANumberThatIsNoIntegerIsNoId) {
  for (const std::string id : {"7.0", "9223372036854775808"}) {
    expect_one_clear_line(import("a.json", "[{\"_id\":" + id + "}]"), 7, "neither text nor an integer");
  }
}

// Its metadata does not fit beside it, which the database finds only when it writes.
TEST_F(ImportedRecords, ADocumentThatIsJustTooLargeIsABadRecordBeforeAnythingIsImported) {
  std::string lines;
  for (int i = 100'000; i < 112'000; ++i) {
    lines += R"({"_id":")" + std::to_string(i) + R"(","text":")" + std::string(400, 'x') + "\"}\n";
  }
  const std::string large = "{\"_id\":\"large\",\"t\":\"" + std::string((std::size_t{16} << 20) - 20, 'x') + "\"}\n";
  expect_one_clear_line(import("a.ndjson", lines + large), 8, "line 12001: ");
  EXPECT_EQ(exported(), "");
  const Outcome run = import("a.ndjson", large + lines, {"--skip-bad"});
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_NE(run.err.find("line 1: "), std::string::npos) << run;
  EXPECT_NE(run.err.find("imported 12000 documents into things"), std::string::npos) << run;
}

// It fits by itself, but not with what the database keeps of the fields that it no longer has.
TEST_F(ImportedRecords, ADocumentThatIsTooLargeForWhatIsThereIsNamedByItsLine) {
  const std::string small = "{\"_id\":\"large\",\"" + std::string(1000, 'f') + "\":1}\n";
  ASSERT_EQ(import("a.ndjson", small).code, 0);
  const std::string large = "{\"_id\":\"large\",\"t\":\"" + std::string((std::size_t{16} << 20) - 500, 'x') + "\"}\n";
  expect_one_clear_line(import("b.ndjson", "{\"_id\":\"a\"}\n" + large), 8, "line 2: document 'large' of 'things'");
  EXPECT_EQ(exported(), "{\"_id\":\"a\"}\n" + small);
}

}  // namespace
}  // namespace fermata::test
