// Import and export of JSON, NDJSON and CSV.
#include <rapidcheck.h>

#include <fermata/record.hpp>

#include "integration/cli/fixture.hpp"
#include "support/value_generator.hpp"

namespace fermata::test {
namespace {

class Formats : public CommandLine {
 protected:
  Outcome import(const std::string& name, const std::string& content, const Words& more = {}) {
    Words words{"import", directory_, "things", folder_.file(name, content)};
    words.insert(words.end(), more.begin(), more.end());
    return fermata(words);
  }
  std::string exported(const std::string& format, const std::string& collection = "things") {
    const Outcome run = fermata({"export", directory_, collection, "--format", format});
    EXPECT_EQ(run.code, 0) << run;
    return run.out;
  }
};

TEST_F(Formats, CsvGivesTypesByWhatEachCellIs) {
  const Outcome run = import("a.csv",
                             "\xEF\xBB\xBF_id,n,r,b,zip,quoted,empty,none,big,plus,address.city\r\n"
                             "1,5,-1.5e3,true,00701,\"5\",\"\",,9223372036854775808,+4930,Bonn\r\n"
                             "2,-0,0.5,FALSE,0,\"a \"\"b\"\",\nc\",x,,-9223372036854775808,1.,\n");
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_EQ(exported("ndjson"),
            R"({"_id":"1","address":{"city":"Bonn"},"b":true,"big":"9223372036854775808","empty":"","n":5,)"
            R"("plus":"+4930","quoted":"5","r":-1500.0,"zip":"00701"})"
            "\n"
            R"({"_id":"2","b":false,"big":-9223372036854775808,"empty":"x","n":"-0","plus":"1.",)"
            R"("quoted":"a \"b\",\nc","r":0.5,"zip":0})"
            "\n");
}

TEST_F(Formats, TypesSayWhatAColumnIs) {
  const Outcome run =
      import("a.csv", "_id,zip,n,r,tags,due\na,12,\"5\",7,\"[1,\"\"x\"\"]\",2026-11-23T20:00:00+01:00\n",
             {"--types", "zip:text,n:integer,r:real,tags:json,due:timestamp"});
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_EQ(exported("ndjson"),
            "{\"_id\":\"a\",\"due\":{\"$timestamp\":\"2026-11-23T19:00:00.000Z\"},\"n\":5,\"r\":7.0,\"tags\":[1,\"x\"],"
            "\"zip\":\"12\"}\n");
}

TEST_F(Formats, TypesThatCannotBeAreRefused) {
  for (const char* types : {"zip", "zip:date", "zip:text,zip:text", ":text"}) {
    expect_one_clear_line(import("a.csv", "_id,zip\na,1\n", {"--types", types}), 4, "--types");
  }
  expect_one_clear_line(import("a.csv", "_id,zip\na,1\n", {"--types", "zap:text"}), 4, "\"zap\", which is not there");
  expect_one_clear_line(import("a.csv", "_id\na\n", {"--format", "xml"}), 4, "json, ndjson or csv");
}

TEST_F(Formats, ABadCellIsNamedByLineAndColumn) {
  const Words age{"--types", "age:integer"};
  expect_one_clear_line(import("a.csv", "_id,age\n\"a\nb\",1\nc,old\n", age), 9,
                        "line 4, column 2 (age): \"old\" is no integer");
  expect_one_clear_line(import("a.csv", "_id,age\na,1,2\n"), 9, "line 2 has 3 fields, and the header names 2");
  expect_one_clear_line(import("a.csv", "_id,age\na,\"1\"2\n"), 9, "line 2, column 2: text behind the closing quote");
  expect_one_clear_line(import("a.csv", "_id,age\na,1\"2\n"), 9, "line 2, column 2: a quote within a field");
  expect_one_clear_line(import("a.csv", "_id,age\na,\"1\n\n"), 9, "the quote that opens in line 2 is never closed");
  expect_one_clear_line(import("a.csv", "_id,a,a.b\na,1,2\n"), 9, "line 2, column 3 (a.b)");
  expect_one_clear_line(import("a.csv", "_id,age,age\n"), 4, "\"age\" is there twice");
  expect_one_clear_line(import("a.csv", "_id,a..b\n"), 4, "empty name");
  expect_one_clear_line(import("a.csv", "_id,x\na,\xff\n"), 9, "line 2, column 2 (x): the text is not UTF-8");
  EXPECT_EQ(query("SELECT * FROM things"), Words{});
}

TEST_F(Formats, BadRecordsAreSkippedToldAndCounted) {
  const std::string lines = "{\"_id\":\"a\"}\n{\"_id\":}\n[]\n{\"x\":1}\n{\"_id\":\"a\",\"n\":2}\n{\"_id\":\"b\"}\n";
  const Outcome run = import("a.ndjson", lines, {"--skip-bad", "--json"});
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_TRUE(run.out.starts_with("{\"collection\":\"things\",\"imported\":2,\"seconds\":")) << run;
  EXPECT_TRUE(run.out.ends_with(",\"skipped\":4}\n")) << run;
  for (const char* words : {"line 2: ", "line 3 is not a JSON object", "line 4 has no field", "line 1 and line 5"}) {
    EXPECT_NE(run.err.find(words), std::string::npos) << words << run;
  }
  EXPECT_EQ(exported("ndjson"), "{\"_id\":\"a\"}\n{\"_id\":\"b\"}\n");
}

TEST_F(Formats, ManyBadRecordsAreNotAllTold) {
  std::string rows = "_id,n\n";
  for (int i = 0; i < 100; ++i) rows += "x\n";
  const Outcome run = import("a.csv", rows + "a,1\n", {"--skip-bad"});
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_LT(lines_of(run.err).size(), 15u) << run;
  EXPECT_NE(run.err.find("imported 1 document into things"), std::string::npos) << run;
  EXPECT_NE(run.err.find("skipped 100 bad records"), std::string::npos) << run;
}

TEST_F(Formats, WhatTheDatabaseRefusesIsSkippedAloneAndNamed) {
  const std::string long_id(600, 'x');
  const Outcome run =
      import("a.ndjson", "{\"_id\":\"a\"}\n{\"_id\":\"" + long_id + "\"}\n{\"_id\":\"b\"}\n", {"--skip-bad"});
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_NE(run.err.find("line 2: "), std::string::npos) << run;
  EXPECT_EQ(exported("ndjson"), "{\"_id\":\"a\"}\n{\"_id\":\"b\"}\n");
}

std::string many_lines(int count) {
  std::string lines;
  for (int i = 100'000; i < 100'000 + count; ++i) {
    lines += R"({"_id":")" + std::to_string(i) + R"(","text":")" + std::string(400, 'x') + "\"}\n";
  }
  return lines;
}

TEST_F(Formats, AFileOfSeveralBatchesIsCheckedBeforeAnythingIsImported) {
  expect_one_clear_line(import("a.ndjson", many_lines(12'000) + "{\n"), 9, "line 12001: ");
  const std::string long_id = "{\"_id\":\"" + std::string(513, 'j') + "\"}\n";
  expect_one_clear_line(import("a.ndjson", many_lines(12'000) + long_id), 4, "line 12001: _id must have");
  const std::string deep = "{\"_id\":\"a\",\"x\":" + std::string(65, '[') + std::string(65, ']') + "}\n";
  expect_one_clear_line(import("a.ndjson", many_lines(12'000) + deep), 8, "line 12001: ");
  EXPECT_EQ(query("SELECT * FROM things"), Words{});
}

TEST_F(Formats, AStreamKeepsWhatStoodBeforeItsBadRecordAndCanBeRepeated) {
  const Outcome run = fermata({"import", directory_, "things", "-"}, many_lines(12'000) + "{\n");
  EXPECT_EQ(run.code, 9) << run;
  EXPECT_NE(run.err.find(" documents) was imported"), std::string::npos) << run;
  const std::size_t before = lines_of(exported("ndjson")).size();
  EXPECT_GT(before, 5'000u);
  EXPECT_LT(before, 12'000u);
  ASSERT_EQ(fermata({"import", directory_, "things", "-"}, many_lines(12'000)).code, 0);
  EXPECT_EQ(exported("ndjson"), many_lines(12'000));
}

TEST_F(Formats, OneOfAKindIsToldInTheSingular) {
  const Outcome skipping = import("a.ndjson", "{\"_id\":\"a\",\"n\":null}\n{}\n", {"--skip-bad"});
  EXPECT_NE(skipping.err.find("imported 1 document into things"), std::string::npos) << skipping;
  EXPECT_TRUE(skipping.err.ends_with("; skipped 1 bad record\n")) << skipping;
  expect_one_clear_line(import("a.csv", "_id,n\na\n"), 9, "line 2 has 1 field, and the header names 2");
  const Outcome lossy = fermata({"export", directory_, "things", folder_ / "b.csv"});
  EXPECT_NE(lossy.err.find(": 1 field with null"), std::string::npos) << lossy;
  EXPECT_NE(lossy.err.find("wrote 1 document to "), std::string::npos) << lossy;
  const std::string large = "{\"_id\":\"b\",\"t\":\"" + std::string(std::size_t{5} << 20, 'x') + "\"}\n";
  const Outcome broken = fermata({"import", directory_, "others", "-", "--format", "ndjson"}, large + "{\n");
  EXPECT_NE(broken.err.find("before it (1 document) was imported"), std::string::npos) << broken;
}

TEST_F(Formats, TheExtensionOfAFileIsItsFormat) {
  ASSERT_EQ(import("a.csv", "_id,n\na,1\n").code, 0);
  for (const auto& [name, content] : std::map<std::string, std::string>{{"x.csv", "_id,n\r\na,1\r\n"},
                                                                        {"x.json", "[\n{\"_id\":\"a\",\"n\":1}\n]\n"},
                                                                        {"x", "{\"_id\":\"a\",\"n\":1}\n"}}) {
    const Outcome run = fermata({"export", directory_, "things", folder_ / name});
    EXPECT_EQ(run.code, 0) << run;
    EXPECT_EQ(content_of(folder_ / name), content);
  }
}

TEST_F(Formats, AnEmptyCollectionIsEmptyInEachFormat) {
  EXPECT_EQ(exported("json"), "[\n]\n");
  EXPECT_EQ(exported("ndjson"), "");
  EXPECT_EQ(exported("csv"), "");
}

TEST_F(Formats, CsvSaysWhatItCouldNotHold) {
  ASSERT_EQ(import("a.ndjson", R"({"_id":"a","c":{"$counter":3},"l":[1],"m":{},"n":null,"o":{"x.y":1}})"
                               "\n")
                .code,
            0);
  const Outcome run = fermata({"export", directory_, "things", folder_ / "a.csv", "--json"});
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_EQ(content_of(folder_ / "a.csv"), "_id,c,l,m,n,o.x.y\r\na,3,\"[1]\",,,1\r\n");
  for (const char* words : {"2 fields with null or an empty map", "1 counter of which only the number is left",
                            "--types l:json", "1 document with field names that have a dot"}) {
    EXPECT_NE(run.err.find(words), std::string::npos) << words << run;
    EXPECT_NE(run.out.find(words), std::string::npos) << words << run;
  }
  EXPECT_NE(run.out.find("\"documents\":1"), std::string::npos) << run;
}

TEST_F(Formats, WithTheTypesThatExportNamesCsvComesBackAsItWas) {
  const std::string line = R"({"_id":"a","b":{"$bytes":"AQI="},"d":{"$double":"NaN"},"l":[1,{"x":"y"}],)"
                           R"("t":{"$timestamp":"2026-11-23T19:00:00.000Z"}})"
                           "\n";
  ASSERT_EQ(import("a.ndjson", line).code, 0);
  const Outcome run = fermata({"export", directory_, "things", folder_ / "b.csv"});
  const std::string option = "--types ";
  const std::size_t at = run.err.find(option);
  ASSERT_NE(at, std::string::npos) << run;
  const std::string types = run.err.substr(at + option.size(), run.err.find('\n', at) - at - option.size());
  EXPECT_EQ(types, "b:json,d:json,l:json,t:timestamp");
  ASSERT_EQ(fermata({"import", directory_, "others", folder_ / "b.csv", "--types", types}).code, 0);
  EXPECT_EQ(exported("ndjson", "others"), line);
}

TEST_F(Formats, TextComesBackFromCsvAsItWas) {
  std::string lines;
  int n = 0;
  for (const char* text : {"", " ", "5", "-0", "007", "true", "1e5", "a,b", "\\\"", "x\\ny", "\\r\\n", "null", "é"}) {
    lines += R"({"_id":")" + std::to_string(100 + n++) + R"(","t":")" + text + "\"}\n";
  }
  ASSERT_EQ(import("a.ndjson", lines).code, 0);
  const std::string csv = folder_.file("b.csv", exported("csv"));
  ASSERT_EQ(fermata({"import", directory_, "others", csv}).code, 0);
  EXPECT_EQ(exported("ndjson", "others"), lines);
}

TEST_F(Formats, ACounterComesBackThroughAServerAndWithoutOne) {
  const std::string line = "{\"_id\":\"a\",\"m\":{\"likes\":{\"$counter\":3}}}\n";
  {
    Server server(directory_);
    ASSERT_EQ(import("a.ndjson", line).code, 0);
    EXPECT_EQ(exported("ndjson"), line);
  }
  ASSERT_EQ(import("a.ndjson", line).code, 0);
  EXPECT_EQ(exported("ndjson"), line);
  query("UPDATE things INCREMENT m.likes BY 2");
  EXPECT_EQ(exported("ndjson"), "{\"_id\":\"a\",\"m\":{\"likes\":{\"$counter\":5}}}\n");
}

// Some of the integers below maps become counters.
void choose_counters(const Map& map, FieldPath& path, DocumentRecord& record) {
  for (const auto& [key, value] : map) {
    path.push_back(key);
    const auto* integer = value.if_a<std::int64_t>();
    if (integer != nullptr && *integer % 2 == 0 && *integer > std::numeric_limits<std::int64_t>::min()) {
      record.counters.push_back(path);
    }
    if (const Map* inner = value.if_a<Map>()) choose_counters(*inner, path, record);
    path.pop_back();
  }
}

std::vector<DocumentRecord> random_records(std::uint64_t seed) {
  std::vector<DocumentRecord> records;
  rc::Random random(seed);
  for (int i = 0; i < 150; ++i) {
    Value value = generate_value(3)(random.split(), 10).value();
    DocumentRecord record{.fields = Map{{"_id", std::to_string(1000 + i)}, {"v", std::move(value)}}, .counters = {}};
    FieldPath path;
    choose_counters(record.fields, path, record);
    records.push_back(std::move(record));
  }
  return records;
}

TEST_F(Formats, RandomDocumentsOfEveryTypeComeBackAsTheyWere) {
  for (const std::uint64_t seed : {1u, 2u}) {
    std::string lines;
    for (const DocumentRecord& record : random_records(seed)) lines += to_json(record) + "\n";
    const std::string collection = "c" + std::to_string(seed);
    ASSERT_EQ(fermata({"import", directory_, collection, folder_.file("a.ndjson", lines)}).code, 0);
    EXPECT_EQ(exported("ndjson", collection), lines) << "seed " << seed;
    for (const std::string format : {"json", "ndjson"}) {
      const std::string file = folder_.file("b." + format, exported(format, collection));
      const std::string copy = collection + format;
      for (int round = 0; round < 2; ++round) ASSERT_EQ(fermata({"import", directory_, copy, file}).code, 0);
      EXPECT_EQ(exported("ndjson", copy), lines) << "seed " << seed << " through " << format;
    }
  }
}

}  // namespace
}  // namespace fermata::test
