// Databases of format 1. fixtures/format1.db was made by the last version that wrote it: two collections, a tombstone
// in each, unset and emptied fields, a document that came back to life, one from a remote with its cursor, a device's
// epoch and a kept fact.
#include <sqlite3.h>

#include <fstream>

#include "store_fixture.hpp"

namespace fermata::store {
namespace {

using namespace std::chrono_literals;
using support::MemoryDisk;
using support::TempDir;

constexpr const char* kRemote = "0123456789abcdef0123456789abcdef";

std::string fixture() {
  std::ifstream file(std::string(FERMATA_STORE_FIXTURES) + "/format1.db", std::ios::binary);
  std::string content(std::istreambuf_iterator<char>(file), {});
  EXPECT_FALSE(content.empty());
  return content;
}

std::unique_ptr<MemoryDisk> disk_with_fixture() {
  auto disk = std::make_unique<MemoryDisk>();
  disk->put_file("/peer/fermata.db", fixture());
  return disk;
}

void expect_everything(Store& store) {
  EXPECT_EQ(view(store, "t0"), (Map{{"deep", Map{{"x", 1}, {"y", Array{1, "two"}}}}, {"n", 0}, {"title", "task"}}));
  EXPECT_EQ(view(store, "t1").at("n"), Value(10));
  EXPECT_EQ(view(store, "t2").count("title"), 0u);
  EXPECT_EQ(view(store, "t3").at("deep"), Value(Map{}));
  EXPECT_EQ(store.load("tasks", "t4")->life(), 2u);
  EXPECT_EQ(view(store, "r1"), (Map{{"from", "afar"}}));
  EXPECT_EQ(store.load("tasks", "r1")->registers()[0].mark.source, 1u);
  EXPECT_EQ(store.load("notes", "n2")->life(), 2u);
  EXPECT_EQ(store.load("notes", "n3")->life(), 3u);
  EXPECT_EQ(store.last_local_seq(), 16u);
  EXPECT_EQ(store.purged_seq(), 0u);
  EXPECT_EQ(store.cursor(kRemote, 42), std::uint64_t{9});
  EXPECT_EQ(store.source_number(kRemote), std::uint32_t{1});
  EXPECT_EQ(store.last_epoch_of("device"), Epoch(kRemote));
  EXPECT_EQ(store.recall("gaps"), std::string("{\"kept\":true}"));
  EXPECT_EQ(store.collections(), (std::vector<std::pair<std::string, std::uint64_t>>{{"notes", 2}, {"tasks", 5}}));
  expect_agreement(store, "tasks");
  expect_agreement(store, "notes");
}

TEST(Migration, KeepsAllThatFormat1Held) {
  const auto disk = disk_with_fixture();
  auto store = must_open(in_memory(*disk));
  ASSERT_NE(store, nullptr);
  expect_everything(*store);
  const auto next = insert(*store, "t9", {{"n", 9}});
  ASSERT_OK(next);
  EXPECT_EQ(*next, 17u);
  expect_agreement(*store, "tasks");
  store.reset();
  store = must_open(in_memory(*disk));
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(store->digest("tasks")->digest.count, 6u);
  expect_agreement(*store, "tasks");
}

TEST(Migration, CountsTombstonesAsBuriedWhenItHappened) {
  const auto disk = disk_with_fixture();
  FixedClock clock;
  clock.wall += 24h * 365;
  auto options = in_memory(*disk);
  options.clock = &clock;
  auto store = must_open(options);
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(store->purge(clock.wall, 10), std::size_t{0}) << "peers may have been away since";
  EXPECT_EQ(store->purge(clock.wall + 1ms, 10), std::size_t{2});
  EXPECT_FALSE(store->load("tasks", "t4")->exists());
}

TEST(Migration, CutShortByPowerLossStartsAgain) {
  bool was_cut = true;
  for (std::uint64_t write = 1; was_cut; ++write) {
    SCOPED_TRACE("power lost at write " + std::to_string(write));
    const auto disk = disk_with_fixture();
    disk->lose_power_at_write(write);
    auto store = Store::open(in_memory(*disk));
    if (store) static_cast<void>((*store)->quiesce(5s));
    was_cut = !disk->powered();
    EXPECT_TRUE(was_cut || store);
    store = fail(ErrorCode::Closed, "");
    disk->crash();
    auto again = must_open(in_memory(*disk));
    ASSERT_NE(again, nullptr);
    expect_everything(*again);
    ASSERT_LT(write, 1000u);
    EXPECT_TRUE(was_cut || write > 10) << "the test lost no power";
  }
}

TEST(Migration, WithoutSpaceSaysSoAndLeavesTheOldFormat) {
  const auto disk = disk_with_fixture();
  disk->limit_free_space(20'000);
  auto refused = Store::open(in_memory(*disk));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::NoSpace);
  disk->unlimited_space();
  auto store = must_open(in_memory(*disk));
  ASSERT_NE(store, nullptr);
  expect_everything(*store);
}

TEST(Migration, KeepsARowThatDoesNotDecodeForWhoeverAsksForIt) {
  TempDir dir;
  std::ofstream(dir.file("fermata.db"), std::ios::binary) << fixture();
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(dir.file("fermata.db").c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, "UPDATE documents SET body = x'ff' WHERE id = 't0'", nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(database);
  auto store = must_open(on_disk(dir.path()));
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(store->load("tasks", "t0").error().code, ErrorCode::Corrupt);
  EXPECT_EQ(view(*store, "r1"), (Map{{"from", "afar"}}));
  EXPECT_EQ(store->digest("tasks")->digest.count, 4u);
}

}  // namespace
}  // namespace fermata::store
