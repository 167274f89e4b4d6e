// backup, compact and check, beside a server and alone.
#include <filesystem>
#include <fstream>

#include "integration/cli/fixture.hpp"

namespace fermata::test {
namespace {

namespace fs = std::filesystem;

TEST_F(CommandLine, ABackupIsADatabaseOfItsOwnWithTheSameDocuments) {
  query(R"(INSERT INTO things DOCUMENTS ({"_id": "a", "n": 1}))");
  const std::string target = folder_ / "backup";
  const Outcome run = fermata({"backup", directory_, target});
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_NE(run.err.find("backed up"), std::string::npos) << run;
  EXPECT_FALSE(fs::exists(target + "/device.key"));
  EXPECT_FALSE(fs::exists(target + "/group.secret"));
  EXPECT_EQ(fermata({"query", target, "SELECT * FROM things"}).out, "{\"_id\":\"a\",\"n\":1}\n");
  const Server server(target, {"--secret-file", directory_ + "/group.secret"});
  EXPECT_TRUE(fs::exists(target + "/device.key"));
}

TEST_F(CommandLine, ABackupIsMadeOfADatabaseThatIsServedToo) {
  const Server server(directory_);
  query(R"(INSERT INTO things DOCUMENTS ({"_id": "a", "n": 1}))");
  const std::string target = folder_ / "backup";
  EXPECT_EQ(fermata({"backup", directory_, target}).code, 0);
  EXPECT_EQ(fermata({"query", target, "SELECT * FROM things"}).out, "{\"_id\":\"a\",\"n\":1}\n");
  expect_one_clear_line(fermata({"backup", directory_, target}), 6, "exists already");
}

TEST_F(CommandLine, ABackupIntoWhatIsThereIsRefusedAndOneIntoNowhereToo) {
  expect_one_clear_line(fermata({"backup", directory_, folder_ / "db"}), 6, "exists already");
  expect_one_clear_line(fermata({"backup", directory_, folder_ / "no/such/folder"}), 5, "no/such/folder");
  expect_one_clear_line(fermata({"backup", folder_ / "nothing", folder_ / "backup"}), 5, "no Fermata database");
}

TEST_F(CommandLine, CompactingGivesSpaceBackServedOrNot) {
  const std::string file = directory_ + "/fermata.db";
  const auto fill_and_empty = [&] {
    std::string lines;
    for (int i = 0; i < 500; ++i)
      lines += R"({"_id":")" + std::to_string(i) + R"(","t":")" + std::string(2000, 'x') + "\"}\n";
    EXPECT_EQ(fermata({"import", directory_, "things", "-"}, lines).code, 0);
    query("UPDATE things SET t = ''");
  };
  fill_and_empty();
  const auto large = fs::file_size(file);
  ASSERT_GT(large, 1'000'000u);
  const Outcome run = fermata({"compact", directory_});
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_LT(fs::file_size(file), large / 2);
  const Server server(directory_);
  fill_and_empty();
  EXPECT_EQ(fermata({"compact", directory_}).code, 0);
  EXPECT_LT(fs::file_size(file), large / 2);
  EXPECT_EQ(query("SELECT * FROM things WHERE _id = '7'"), (Words{R"({"_id":"7","t":""})"}));
}

TEST_F(CommandLine, ACheckSaysThatADatabaseIsSound) {
  query(R"(INSERT INTO things DOCUMENTS ({"_id": "a", "n": 1}))");
  const Outcome run = fermata({"check", directory_});
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_EQ(run.out, "sound: 1 document, 0 deletions, 0 attachments\n") << run;
  const Outcome json = fermata({"check", directory_, "--json"});
  EXPECT_EQ(json.code, 0) << json;
  EXPECT_EQ(json.out,
            R"({"attachments":0,"documents":1,"found":[],"remaining":[],"repaired":[],"sound":true,"tombstones":0})"
            "\n");
}

TEST_F(CommandLine, ACheckFindsDamageAndARepairMendsIt) {
  query(R"(INSERT INTO things DOCUMENTS ({"_id": "a", "n": 1}))");
  std::fstream file(directory_ + "/fermata.db", std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(fs::file_size(directory_ + "/fermata.db")) - 100);  // the last index
  file.put('!');
  file.close();
  const Outcome damaged = fermata({"check", directory_});
  EXPECT_EQ(damaged.code, 11) << damaged;
  EXPECT_NE(damaged.out.find("is not what was written"), std::string::npos) << damaged;
  const Outcome repaired = fermata({"check", directory_, "--repair"});
  EXPECT_EQ(repaired.code, 0) << repaired;
  EXPECT_EQ(fermata({"check", directory_}).code, 0);
  EXPECT_EQ(query("SELECT * FROM things"), (Words{R"({"_id":"a","n":1})"}));
}

TEST_F(CommandLine, ACheckOfWhatIsServedOrIsNotThereIsRefused) {
  const Server server(directory_);
  expect_one_clear_line(fermata({"check", directory_}), 12, "another process");
  expect_one_clear_line(fermata({"check", folder_ / "nothing"}), 5, "no Fermata database");
}

}  // namespace
}  // namespace fermata::test
