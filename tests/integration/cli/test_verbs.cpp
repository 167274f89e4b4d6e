#include <sys/stat.h>

#include <filesystem>

#include "integration/cli/fixture.hpp"

namespace fermata::test {
namespace {

constexpr const char* kSubdivisions = "/usr/share/iso-codes/json/iso_3166-2.json";

TEST(Help, EveryVerbShowsAnExample) {
  for (const char* verb : {"demo", "init", "import", "query", "watch", "export", "attach", "attachment", "serve",
                           "status", "gaps", "phone"}) {
    const Outcome run = fermata({verb, "--help"});
    EXPECT_EQ(run.code, 0) << run;
    EXPECT_NE(run.out.find("Example:\n  fermata " + std::string(verb)), std::string::npos) << run;
    EXPECT_EQ(run.err, "") << run;
  }
}

TEST(Help, ListsEveryExitCodeOnce) {
  const Outcome run = fermata({"--help"});
  EXPECT_EQ(run.code, 0) << run;
  for (int code = 0; code <= 18; ++code) {
    const std::string line = (code < 10 ? "\n   " : "\n  ") + std::to_string(code) + "  ";
    const std::size_t first = run.out.find(line);
    EXPECT_NE(first, std::string::npos) << "code " << code << "\n" << run;
    EXPECT_EQ(run.out.find(line, first + 1), std::string::npos) << "code " << code << "\n" << run;
  }
}

TEST(Help, VersionGoesToStdout) {
  const Outcome run = fermata({"--version"});
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_TRUE(run.out.starts_with("fermata 0.")) << run;
}

TEST(Usage, AMissingVerbAnUnknownVerbAndAMissingArgumentExitWith2) {
  for (const Words& words : {Words{}, Words{"dance"}, Words{"query", "here"}, Words{"init", "a", "b"}}) {
    expect_one_clear_line(fermata(words), 2, "--help");
  }
}

TEST(Phone, EndsWithTheExitCodeOfItsProgram) {
  if (!std::filesystem::exists("/usr/bin/pulseaudio")) GTEST_SKIP() << "pulseaudio is not installed";
  const Outcome run = fermata({"phone", "--policy", "ios", "--quiet", "--", "sh", "-c", "exit 7"});
  EXPECT_EQ(run.code, 7) << run;
}

TEST(Phone, AnUnknownPolicyIsNamed) {
  expect_one_clear_line(fermata({"phone", "--policy", "toaster", "--", "true"}), 5, "toaster");
}

TEST(Init, MakesADirectoryWithASecretForItsOwnerAlone) {
  const Folder folder;
  const Outcome run = fermata({"init", folder / "db"});
  ASSERT_EQ(run.code, 0) << run;
  struct stat info {};
  ASSERT_EQ(::stat((folder / "db/group.secret").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0600u);
  EXPECT_GE(content_of(folder / "db/group.secret").size(), 32u);
}

TEST(Init, CopiesTheSecretOfAnotherGroup) {
  const Folder folder;
  const std::string secret = folder.file("secret", "correct horse battery staple\n");
  const Outcome run = fermata({"init", folder / "db", "--secret-file", secret});
  ASSERT_EQ(run.code, 0) << run;
  EXPECT_EQ(content_of(folder / "db/group.secret"), "correct horse battery staple\n");
}

TEST(Init, RefusesWhatExistsAndChangesNothing) {
  const Folder folder;
  ASSERT_EQ(fermata({"init", folder / "db"}).code, 0);
  const std::string secret = content_of(folder / "db/group.secret");
  expect_one_clear_line(fermata({"init", folder / "db"}), 6, "exists already");
  EXPECT_EQ(content_of(folder / "db/group.secret"), secret);
}

TEST(Init, LeavesNothingBehindWhenTheSecretIsTooShort) {
  const Folder folder;
  const std::string secret = folder.file("secret", "short\n");
  expect_one_clear_line(fermata({"init", folder / "db", "--secret-file", secret}), 4, "at least 16");
  EXPECT_FALSE(std::filesystem::exists(folder / "db"));
}

TEST_F(CommandLine, ImportsAJsonArray) {
  const std::string file = folder_.file("a.json", R"([{"_id":"a","n":1},{"_id":"b","n":2}])");
  const Outcome run = fermata({"import", directory_, "things", file});
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_NE(run.err.find("imported 2 documents"), std::string::npos) << run;
  EXPECT_EQ(query("SELECT * FROM things ORDER BY n"), (Words{R"({"_id":"a","n":1})", R"({"_id":"b","n":2})"}));
}

TEST_F(CommandLine, ImportsOneObjectALineAndNumbersAsIds) {
  const std::string file = folder_.file("a.txt", "{\"nr\":7,\"n\":\"x\"}\n\n{\"nr\":8,\"n\":\"y\"}\n");
  ASSERT_EQ(fermata({"import", directory_, "things", file, "--id", "nr"}).code, 0);
  EXPECT_EQ(query("SELECT * FROM things ORDER BY _id"),
            (Words{R"({"_id":"7","n":"x","nr":7})", R"({"_id":"8","n":"y","nr":8})"}));
}

TEST_F(CommandLine, ImportsFromStdin) {
  const Outcome run = fermata({"import", directory_, "things", "-"}, R"({"_id":"a"})");
  ASSERT_EQ(run.code, 0) << run;
  EXPECT_EQ(query("SELECT * FROM things"), (Words{R"({"_id":"a"})"}));
}

TEST_F(CommandLine, ImportsAPrettyPrintedObjectAsOneDocument) {
  ASSERT_EQ(fermata({"import", directory_, "things", "-"}, "{\n  \"_id\": \"a\",\n  \"tags\": []\n}\n").code, 0);
  EXPECT_EQ(query("SELECT * FROM things"), (Words{R"({"_id":"a","tags":[]})"}));
}

TEST_F(CommandLine, ImportsTheSubdivisionsOfAllCountriesTwiceWithOneOutcome) {
  if (!std::filesystem::exists(kSubdivisions)) GTEST_SKIP() << "iso-codes is not installed";
  for (int round = 0; round < 2; ++round) {
    const Outcome run = fermata({"import", directory_, "places", kSubdivisions, "--id", "code"});
    ASSERT_EQ(run.code, 0) << run;
  }
  const auto lines = query("SELECT * FROM places");
  EXPECT_GT(lines.size(), 5000u);
  EXPECT_EQ(query("SELECT * FROM places WHERE _id = 'AD-06'"),
            (Words{"{\"_id\":\"AD-06\",\"code\":\"AD-06\",\"name\":\"Sant Julià de Lòria\",\"type\":\"Parish\"}"}));
}

TEST_F(CommandLine, AnImportedFileExportsAndImportsBackUnchanged) {
  const std::string lines = "{\"_id\":\"a\",\"d\":1.0,\"i\":1,\"m\":{\"x\":[null,true]}}\n{\"_id\":\"b\"}\n";
  ASSERT_EQ(fermata({"import", directory_, "things", "-"}, lines).code, 0);
  const Outcome out = fermata({"export", directory_, "things"});
  EXPECT_EQ(out.out, lines) << out;
  const Outcome to_file = fermata({"export", directory_, "things", folder_ / "out.ndjson"});
  EXPECT_EQ(to_file.code, 0) << to_file;
  EXPECT_EQ(to_file.out, "") << to_file;
  EXPECT_EQ(content_of(folder_ / "out.ndjson"), lines);
}

TEST_F(CommandLine, AParameterIsJsonWhereItCanBeAndTextElsewhere) {
  query("INSERT INTO things DOCUMENTS (:d)", {"--param", R"(d={"_id":"a","number":5,"text":"5","word":"five"})"});
  EXPECT_EQ(query("SELECT * FROM things WHERE number = :v", {"--param", "v=5"}).size(), 1u);
  EXPECT_EQ(query("SELECT * FROM things WHERE text = :v", {"--param", "v=5"}).size(), 0u);
  EXPECT_EQ(query("SELECT * FROM things WHERE text = :v", {"--param", "v=\"5\""}).size(), 1u);
  EXPECT_EQ(
      query("SELECT * FROM things WHERE word = :v AND number = :n", {"--param", ":v=five", "--param", "n=5"}).size(),
      1u);
}

TEST_F(CommandLine, AWriteTellsTheIdsItWrote) {
  EXPECT_EQ(query("INSERT INTO things DOCUMENTS (:d)", {"--param", R"(d={"_id":"a","n":1})"}),
            (Words{R"({"_id":"a"})"}));
  EXPECT_EQ(query("UPDATE things SET n = 2 WHERE _id = 'a'", {"--json"}), (Words{R"({"mutated_ids":["a"]})"}));
  EXPECT_EQ(query("DELETE FROM things WHERE n = 1"), Words{});
  EXPECT_EQ(query("SELECT * FROM things", {"--json"}), (Words{R"([{"_id":"a","n":2}])"}));
}

TEST_F(CommandLine, ASelectFromACollectionNobodyWroteToIsEmptyAndSaysSo) {
  ASSERT_EQ(fermata({"import", directory_, "things", "-"}, R"({"_id":"a"})").code, 0);
  const Outcome run = fermata({"query", directory_, "SELECT * FROM thigns"});
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_EQ(run.out, "") << run;
  EXPECT_EQ(run.err, "fermata: remark: the collection thigns holds no documents; there is things\n") << run;
  const Outcome known = fermata({"query", directory_, "SELECT * FROM things WHERE n = 1"});
  EXPECT_EQ(known.err, "") << known;
}

TEST_F(CommandLine, StatusTellsCollectionsAndCounts) {
  ASSERT_EQ(fermata({"import", directory_, "things", "-"}, R"([{"_id":"a"},{"_id":"b"}])").code, 0);
  const Outcome json = fermata({"status", directory_, "--json"});
  EXPECT_EQ(json.out, "{\"collections\":{\"things\":2},\"serving\":false}\n") << json;
  const Outcome text = fermata({"status", directory_});
  EXPECT_NE(text.out.find("things"), std::string::npos) << text;
}

TEST_F(CommandLine, AReaderThatGoesAwayIsNoError) {
  std::string many;
  for (int i = 0; i < 20000; ++i) many += "{\"_id\":\"" + std::to_string(i) + "\"}\n";
  ASSERT_EQ(fermata({"import", directory_, "things", "-"}, many).code, 0);
  Program program({"query", directory_, "SELECT * FROM things"});
  program.close_output();
  const Outcome run = program.finish();
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_EQ(run.err, "") << run;
}

TEST_F(CommandLine, VerbsAtTheSameTimeWaitForEachOther) {
  std::vector<std::unique_ptr<Program>> programs;
  for (int i = 0; i < 4; ++i) {
    const std::string document = "d={\"_id\":\"" + std::to_string(i) + "\"}";
    programs.push_back(std::make_unique<Program>(
        Words{"query", directory_, "INSERT INTO things DOCUMENTS (:d)", "--param", document}));
  }
  for (const auto& program : programs) {
    const Outcome run = program->finish();
    EXPECT_EQ(run.code, 0) << run;
  }
  EXPECT_EQ(query("SELECT * FROM things").size(), 4u);
}

TEST(Usage, AnUnknownVerbIsNamedAndTheNearestSuggested) {
  expect_one_clear_line(fermata({"exprot", "db", "things"}), 2, R"(no verb "exprot"; did you mean "export"?)");
  expect_one_clear_line(fermata({"bogus"}), 2, R"(no verb "bogus"; see fermata --help)");
  expect_one_clear_line(fermata({}), 2, "A subcommand is required");
}

}  // namespace
}  // namespace fermata::test
