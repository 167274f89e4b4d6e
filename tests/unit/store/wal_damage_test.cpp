// A log that is damaged before its end, in the boot that wrote it: what SQLite takes for the end is none.
#include <fmt/format.h>

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
    auto store = must_open(on_disk(dir_.file("origin")));
    ASSERT_OK(insert(*store, id_of(0), {{"n", 0}}));
    ASSERT_OK(store->checkpoint());
    for (int i = 1; i <= kCommits; ++i) {
      ASSERT_OK(insert(*store, id_of(i), {{"n", i}}));
      ends_.push_back(std::filesystem::file_size(dir_.file("origin/fermata.db-wal")));
    }
    log_ = read_file(dir_.file("origin/fermata.db-wal"));
    database_ = read_file(dir_.file("origin/fermata.db"));
  }

  // A directory with this log.
  std::string put(const std::string& log) {
    const std::string directory = dir_.file(fmt::format("left-{}", ++directories_));
    std::filesystem::create_directory(directory);
    std::ofstream(directory + "/fermata.db", std::ios::binary) << database_;
    std::ofstream(directory + "/fermata.db-wal", std::ios::binary) << log;
    return directory;
  }
  [[nodiscard]] std::string flipped(std::size_t at) const {
    std::string log = log_;
    log[at] = static_cast<char>(log[at] ^ 0x10);
    return log;
  }
  // Where the frames of the last commit begin.
  [[nodiscard]] std::size_t last_commit() const { return ends_[ends_.size() - 2]; }

  TempDir dir_;
  std::string database_, log_;
  std::vector<std::size_t> ends_;  // of the log after each commit
  int directories_ = 0;
};

TEST_F(LeftBehind, ASoundLogOpens) {
  auto store = must_open(on_disk(put(log_)));
  EXPECT_EQ(view(*store, id_of(kCommits)).at("n"), Value(kCommits));
}

TEST_F(LeftBehind, ADamagedFrameWithCommitsBehindItIsRefusedAndNothingIsWritten) {
  ASSERT_GT(last_commit(), kHeader + 10 * kFrame);
  for (std::size_t frame = kHeader; frame < last_commit(); frame += kFrame) {
    for (const std::size_t offset : {0u, 9u, 17u, 2000u, 4119u}) {
      const std::size_t number = (frame - kHeader) / kFrame + 1;
      SCOPED_TRACE(fmt::format("byte {} of frame {}", offset, number));
      const std::string damaged = flipped(frame + offset), directory = put(damaged);
      const auto store = Store::open(on_disk(directory));
      ASSERT_FALSE(store);
      EXPECT_EQ(store.error().code, ErrorCode::Corrupt);
      EXPECT_NE(store.error().message.find(fmt::format("frame {} of its log", number)), std::string::npos)
          << store.error().message;
      EXPECT_TRUE(read_file(directory + "/fermata.db-wal") == damaged);
      std::filesystem::remove_all(directory);
    }
  }
}

TEST_F(LeftBehind, EachDamagedByteOfTheHeaderIsRefused) {
  for (std::size_t offset = 0; offset < kHeader; ++offset) {
    SCOPED_TRACE(offset);
    const auto store = Store::open(on_disk(put(flipped(offset))));
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::Corrupt);
    EXPECT_NE(store.error().message.find("header of its log"), std::string::npos) << store.error().message;
  }
}

TEST_F(LeftBehind, ACommitThatWasCutShortIsNoDamage) {
  for (std::size_t end = last_commit() + 1; end < log_.size(); end += 997) {
    auto store = must_open(on_disk(put(log_.substr(0, end))));
    ASSERT_NE(store, nullptr);
    EXPECT_EQ(view(*store, id_of(kCommits - 1)).at("n"), Value(kCommits - 1));
    EXPECT_TRUE(view(*store, id_of(kCommits)).empty());
  }
}

TEST_F(LeftBehind, AfterAPowerCutALogMayHaveHolesAndBeginsANewEpoch) {
  const std::string epoch = must_open(on_disk(put(log_)))->epoch();
  auto options = on_disk(put(flipped(kHeader + 100)));
  options.boot_id = "boot-2";
  auto store = must_open(options);
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(view(*store, id_of(0)).at("n"), Value(0));
  EXPECT_NE(store->epoch(), epoch);
}

TEST_F(LeftBehind, ARepairKeepsWhatWasCommittedBeforeAndBeginsANewEpochInOneTransaction) {
  const std::string directory = put(flipped(ends_[5] + 100));
  CheckOptions options{.directory = directory, .boot_id = "boot-1"};
  const auto found = check(options);
  ASSERT_OK(found);
  ASSERT_EQ(found->remaining.size(), 1u);
  EXPECT_NE(found->remaining[0].find("its log fermata.db-wal"), std::string::npos) << found->remaining[0];
  options.mode = CheckMode::Repair;
  const auto repaired = check(options);
  ASSERT_OK(repaired);
  EXPECT_TRUE(repaired->sound());
  EXPECT_EQ(repaired->documents, 7u);
  EXPECT_EQ(run_sql(directory, "UPDATE state SET clean = clean WHERE id = 0 AND clean = 0"), 1);
  EXPECT_EQ(run_sql(directory, "UPDATE meta SET value = value WHERE key = 'boot_id' AND value = ''"), 1);
  auto store = must_open(on_disk(directory));
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(view(*store, id_of(6)).at("n"), Value(6));
  EXPECT_TRUE(view(*store, id_of(7)).empty());
}

TEST(RefusedCommit, DoesNotPassForOneThatWasLost) {
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
