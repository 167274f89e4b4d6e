// A log that is not what a killed process left, in the boot that wrote it.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "store/check.hpp"
#include "store_fixture.hpp"

namespace fermata::store {
namespace {

using support::MemoryDisk;
using support::TempDir;

constexpr std::size_t kHeader = 32, kFrame = 24 + 4096;
constexpr int kCommits = 12;

std::string id_of(int number) {
  return "d" + std::to_string(100 + number);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// What a process that was killed left behind: the tables in the file, some commits in the log.
class LeftBehind : public ::testing::Test {
 protected:
  void SetUp() override {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(write_and_die() ? 0 : 1);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    for (int i = 1; i <= kCommits; ++i) {
      ends_.push_back(std::filesystem::file_size(dir_.file(fmt::format("log-{}", i))));
    }
    for (const char* name : kFiles) files_.push_back(read_file(directory_ + "/" + name));
  }

  bool write_and_die() {
    auto store = Store::open(options());
    if (!store || !insert(**store, id_of(0), {{"n", 0}}) || !(*store)->checkpoint()) return false;
    for (int i = 1; i <= kCommits; ++i) {
      if (!insert(**store, id_of(i), {{"n", i}})) return false;
      std::filesystem::copy_file(directory_ + "/fermata.db-wal", dir_.file(fmt::format("log-{}", i)));
    }
    ::_exit(0);
  }

  // Of a wall clock that is behind no file's time, however long a test takes: none looks like a copy.
  StoreOptions options() {
    auto options = on_disk(directory_);
    options.clock = &clock_;
    return options;
  }
  CheckOptions check_options(CheckMode mode) {
    return {.directory = directory_, .mode = mode, .clock = &clock_, .boot_id = "boot-1"};
  }
  [[nodiscard]] const std::string& log() const { return files_[kLog]; }

  // The same files as they were left, but with this log.
  void put(const std::string& log) {
    std::filesystem::remove(directory_ + "/fermata.db-shm");
    for (std::size_t i = 0; i < std::size(kFiles); ++i) {
      std::ofstream(directory_ + "/" + kFiles[i], std::ios::binary | std::ios::trunc) << (i == kLog ? log : files_[i]);
    }
  }
  [[nodiscard]] std::string flipped(std::size_t at) const {
    std::string damaged = log();
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    return damaged;
  }
  // Where the frames of the last commit begin.
  [[nodiscard]] std::size_t last_commit() const { return ends_[ends_.size() - 2]; }

  void expect_refused(const std::string& damaged, const std::string& why_not) {
    put(damaged);
    // The second opening finds no less than the first.
    for (int opening = 0; opening < 2; ++opening) {
      const auto store = Store::open(options());
      ASSERT_FALSE(store);
      EXPECT_EQ(store.error().code, ErrorCode::Corrupt);
      EXPECT_NE(store.error().message.find(why_not), std::string::npos) << store.error().message;
      EXPECT_TRUE(read_file(directory_ + "/fermata.db-wal") == damaged);
    }
    const auto found = check(check_options(CheckMode::Report));
    ASSERT_OK(found);
    ASSERT_EQ(found->remaining.size(), 1u);
    EXPECT_NE(found->remaining[0].find(why_not), std::string::npos) << found->remaining[0];
  }

  static constexpr const char* kFiles[] = {"fermata.db", "lock", "fermata.db-wal"};
  static constexpr std::size_t kLog = 2;

  FixedClock clock_{std::chrono::sys_days(std::chrono::year(2100) / 1 / 1)};
  TempDir dir_;
  const std::string directory_ = dir_.file("db");
  std::vector<std::string> files_;
  std::vector<std::size_t> ends_;  // of the log after each commit
};

TEST_F(LeftBehind, ASoundLogOpens) {
  auto store = must_open(options());
  EXPECT_EQ(view(*store, id_of(kCommits)).at("n"), Value(kCommits));
}

TEST_F(LeftBehind, ADamagedFrameIsRefusedWhereverItIsAndNothingIsWritten) {
  ASSERT_GT(last_commit(), kHeader + 10 * kFrame);
  for (std::size_t frame = kHeader; frame < log().size(); frame += kFrame) {
    const std::size_t number = (frame - kHeader) / kFrame + 1;
    for (const std::size_t offset : {0u, 9u, 17u, 2000u, 4119u}) {
      SCOPED_TRACE(fmt::format("byte {} of frame {}", offset, number));
      expect_refused(flipped(frame + offset), fmt::format("frame {} of", number));
    }
  }
}

TEST_F(LeftBehind, EachDamagedByteOfTheHeaderIsRefused) {
  for (std::size_t offset = 0; offset < kHeader; ++offset) {
    SCOPED_TRACE(offset);
    expect_refused(flipped(offset), "header of its log");
  }
}

TEST_F(LeftBehind, ALogThatWasCutOffIsRefused) {
  // Of one byte SQLite says that it is empty.
  for (std::size_t end = 2; end < log().size(); end += 997) {
    SCOPED_TRACE(end);
    expect_refused(log().substr(0, end), end < kHeader ? "header of its log" : "is missing or not what was written");
  }
  expect_refused("", "its log fermata.db-wal, which held what was committed last, is missing or empty");
}

TEST_F(LeftBehind, ALogThatWasRemovedIsRefusedAndNotBegunAnew) {
  for (int opening = 0; opening < 2; ++opening) {
    std::filesystem::remove(directory_ + "/fermata.db-wal");
    std::filesystem::remove(directory_ + "/fermata.db-shm");
    const auto found = check(check_options(CheckMode::Report));
    ASSERT_OK(found);
    EXPECT_EQ(found->remaining.size(), 1u);
    const auto store = Store::open(options());
    ASSERT_FALSE(store);
    EXPECT_NE(store.error().message.find("is missing or empty"), std::string::npos) << store.error().message;
  }
}

TEST_F(LeftBehind, ACommitThatWasCutShortIsNoDamage) {
  const std::string unfinished = log().substr(kHeader, 2 * kFrame - 100);
  put(log() + unfinished);
  auto store = must_open(options());
  EXPECT_EQ(view(*store, id_of(kCommits)).at("n"), Value(kCommits));
}

TEST_F(LeftBehind, NothingIsExpectedOfACopy) {
  const std::string copy = dir_.file("copy");
  std::filesystem::copy(directory_, copy);
  std::filesystem::resize_file(copy + "/fermata.db-wal", last_commit());
  auto copied = options();
  copied.directory = copy;
  auto store = must_open(copied);
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(view(*store, id_of(kCommits - 1)).at("n"), Value(kCommits - 1));
}

// Its file has changed since it was written to.
class LeftBehindLongAgo : public LeftBehind {
 protected:
  LeftBehindLongAgo() { clock_.wall = FixedClock().wall; }
};

TEST_F(LeftBehindLongAgo, NothingIsExpectedOfABackupThatWasPutInTheFile) {
  put("");
  auto store = must_open(options());
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(view(*store, id_of(0)).at("n"), Value(0));
}

TEST_F(LeftBehind, WhatFollowsIsExpectedAsWell) {
  { must_open(options()); }
  { must_open(options()); }
  ASSERT_EQ(std::filesystem::exists(directory_ + "/fermata.db-wal"), false);
  auto store = must_open(options());
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(view(*store, id_of(kCommits)).at("n"), Value(kCommits));
}

TEST_F(LeftBehind, AfterAPowerCutALogMayHaveHolesAndBeginsANewEpoch) {
  const std::string epoch = must_open(options())->epoch();
  for (const std::string& left : {flipped(kHeader + 100), log().substr(0, last_commit()), std::string()}) {
    put(left);
    auto after = options();
    after.boot_id = "boot-2";
    auto store = must_open(after);
    ASSERT_NE(store, nullptr);
    EXPECT_EQ(view(*store, id_of(0)).at("n"), Value(0));
    EXPECT_NE(store->epoch(), epoch);
  }
}

TEST_F(LeftBehind, ARepairKeepsWhatWasCommittedBeforeAndBeginsANewEpochInOneTransaction) {
  put(flipped(ends_[5] + 100));
  const auto repaired = check(check_options(CheckMode::Repair));
  ASSERT_OK(repaired);
  EXPECT_TRUE(repaired->sound());
  EXPECT_EQ(repaired->documents, 7u);
  EXPECT_EQ(run_sql(directory_, "UPDATE state SET clean = clean WHERE id = 0 AND clean = 0"), 1);
  EXPECT_EQ(run_sql(directory_, "UPDATE meta SET value = value WHERE key = 'boot_id' AND value = ''"), 1);
  auto store = must_open(options());
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(view(*store, id_of(6)).at("n"), Value(6));
  EXPECT_TRUE(view(*store, id_of(7)).empty());
}

TEST(RefusedCommit, IsNotThereWhenTheNextOneWasKilled) {
  MemoryDisk disk;
  auto options = in_memory(disk);
  options.durability = Durability::Full;
  auto store = must_open(options);
  ASSERT_OK(insert(*store, "first", {{"n", 1}}));
  disk.fail_sync(1);
  const auto refused = insert(*store, "large", {{"text", std::string(100'000, 'x')}});
  ASSERT_FALSE(refused);
  disk.no_more_faults();
  ASSERT_OK(insert(*store, "second", {{"n", 2}}));
  disk.kill_process();
  store.reset();
  store = must_open(options);
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(view(*store, "second").at("n"), Value(2));
  EXPECT_TRUE(view(*store, "large").empty());
}

}  // namespace
}  // namespace fermata::store
