// backup, compact and check, beside a server and alone.
#include <sys/mount.h>
#include <unistd.h>

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

// The directory under another name where nobody can write: as a backup that is mounted.
class ReadOnly {
 public:
  ReadOnly(const std::string& directory, std::string path) : path_(std::move(path)) {
    fs::create_directory(path_);
    mounted_ = ::mount(directory.c_str(), path_.c_str(), nullptr, MS_BIND, nullptr) == 0 &&
               ::mount(nullptr, path_.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) == 0;
  }
  ~ReadOnly() { ::umount2(path_.c_str(), MNT_DETACH); }
  ReadOnly(const ReadOnly&) = delete;
  ReadOnly& operator=(const ReadOnly&) = delete;
  [[nodiscard]] bool mounted() const { return mounted_; }

 private:
  std::string path_;
  bool mounted_ = false;
};

class ReadOnlyCheck : public CommandLine {
 protected:
  void SetUp() override {
    CommandLine::SetUp();
    query(R"(INSERT INTO things DOCUMENTS ({"_id": "a", "n": 1}))");
  }
  // From now on it is at there_, to be read.
  [[nodiscard]] bool mount() {
    mount_.emplace(directory_, there_);
    return mount_->mounted();
  }
  // Ends without closing the database, as in a power cut, and so leaves a log.
  void leave_log() {
    Server server(directory_);
    query(R"(INSERT INTO things DOCUMENTS ({"_id": "b"}))");
    server.program().signal(SIGKILL);
    static_cast<void>(server.program().finish());
    ASSERT_GT(fs::file_size(directory_ + "/fermata.db-wal"), 0u);
  }

  static constexpr const char* kNoMount = "mounting a directory to be read only needs root";
  std::string there_ = folder_ / "there";
  std::optional<ReadOnly> mount_;
};

TEST_F(ReadOnlyCheck, WorksWhereNothingCanBeWritten) {
  if (!mount()) GTEST_SKIP() << kNoMount;
  for (int round = 0; round < 2; ++round) {
    const Outcome run = fermata({"check", there_});
    EXPECT_EQ(run.code, 0) << run;
    EXPECT_EQ(run.out, "sound: 1 document, 0 deletions, 0 attachments\n") << run;
  }
}

TEST_F(ReadOnlyCheck, WorksOnABackupThatNobodyHasOpened) {
  const std::string backup = folder_ / "backup";
  ASSERT_EQ(fermata({"backup", directory_, backup}).code, 0);
  ASSERT_FALSE(fs::exists(backup + "/lock"));
  directory_ = backup;
  if (!mount()) GTEST_SKIP() << kNoMount;
  const Outcome run = fermata({"check", there_});
  EXPECT_EQ(run.code, 0) << run;
}

TEST_F(ReadOnlyCheck, FindsDamage) {
  fs::resize_file(directory_ + "/fermata.db", fs::file_size(directory_ + "/fermata.db") - 4096);
  if (!mount()) GTEST_SKIP() << kNoMount;
  EXPECT_EQ(fermata({"check", there_}).code, 11);
}

TEST_F(ReadOnlyCheck, IsRefusedWhileAnotherProcessMayWrite) {
  if (!mount()) GTEST_SKIP() << kNoMount;
  const Server server(directory_);
  expect_one_clear_line(fermata({"check", there_}), 12, "another process");
}

TEST_F(ReadOnlyCheck, OfALogSaysToCopyTheDirectory) {
  leave_log();
  fs::remove(directory_ + "/fermata.db-shm");  // which no copy has
  if (!mount()) GTEST_SKIP() << kNoMount;
  expect_one_clear_line(fermata({"check", there_}), 1, "fermata.db-wal");
  expect_one_clear_line(fermata({"check", there_}), 1, "copy the directory to where it can be written to");
}

TEST_F(ReadOnlyCheck, ARepairAndAnythingElseSayToCopyTheDirectory) {
  if (!mount()) GTEST_SKIP() << kNoMount;
  for (const Words& words : {Words{"check", there_, "--repair"}, Words{"query", there_, "SELECT * FROM things"},
                             Words{"export", there_, "a"}}) {
    expect_one_clear_line(fermata(words), 1, "copy the directory to where it can be written to");
  }
}

TEST_F(CommandLine, AFileThatIsCutOffIsCalledSoByEveryVerb) {
  query(R"(INSERT INTO things DOCUMENTS ({"_id": "a", "n": 1}))");
  for (const unsigned bytes : {511u, 100u, 2u}) {
    fs::resize_file(directory_ + "/fermata.db", bytes);
    const std::string words = "its fermata.db is cut off (bytes left: " + std::to_string(bytes) + ")";
    const Outcome check = fermata({"check", directory_});
    EXPECT_EQ(check.code, 11) << check;
    EXPECT_NE(check.out.find(words), std::string::npos) << check;
    expect_one_clear_line(fermata({"query", directory_, "SELECT * FROM things"}), 11, words);
    EXPECT_EQ(fs::file_size(directory_ + "/fermata.db"), bytes);
  }
}

}  // namespace
}  // namespace fermata::test
