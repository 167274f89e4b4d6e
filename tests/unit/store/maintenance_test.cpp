// Durability levels, checkpoints, backups and compaction.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "store_fixture.hpp"

namespace fermata::store {
namespace {

using support::MemoryDisk;
using support::TempDir;

constexpr auto kSoon = std::chrono::seconds(5);

void insert_many(Store& store, int count, std::size_t bytes) {
  auto transaction = store.begin();
  ASSERT_OK(transaction);
  for (int i = 0; i < count; ++i) {
    ASSERT_OK(transaction->insert("tasks", fmt::format("d{:05}", i), {{"text", std::string(bytes, 'x')}}));
  }
  ASSERT_OK(transaction->commit());
}

void remove_many(Store& store, int count) {
  auto transaction = store.begin();
  ASSERT_OK(transaction);
  for (int i = 0; i < count; ++i) ASSERT_OK(transaction->remove("tasks", fmt::format("d{:05}", i)));
  ASSERT_OK(transaction->commit());
  ASSERT_OK(store.purge(WallTime::max(), std::size_t(count)));
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

StoreOptions with_level(MemoryDisk& disk, Durability level) {
  auto options = in_memory(disk);
  options.durability = level;
  return options;
}

// Of two commits after the one that is always synced, how many a power cut leaves.
std::uint64_t left_by_a_power_cut(Durability level) {
  MemoryDisk disk;
  auto store = must_open(with_level(disk, level));
  for (const std::string id : {"d1", "d2", "d3"}) EXPECT_TRUE(insert(*store, id, {{"n", 1}}));
  disk.crash();
  store = nullptr;
  return must_open(in_memory(disk))->last_local_seq();
}

TEST(Durability, FullKeepsEveryCommitThroughAPowerCutAndNormalOnlyTheSyncedOnes) {
  EXPECT_EQ(left_by_a_power_cut(Durability::Full), 3u);
  EXPECT_EQ(left_by_a_power_cut(Durability::Normal), 1u);
}

TEST(Durability, FullStaysFullAfterTheFirstCommitAndAfterReopening) {
  MemoryDisk disk;
  auto store = must_open(with_level(disk, Durability::Full));
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 3; ++i) {
      const auto syncs = disk.stats().syncs;
      ASSERT_OK(insert(*store, fmt::format("d{}{}", round, i), {{"n", 1}}));
      EXPECT_GT(disk.stats().syncs, syncs);
    }
    ASSERT_OK(store->quiesce(kSoon));
  }
}

TEST(Checkpoint, MakesCommitsDurableAndEmptiesTheLog) {
  MemoryDisk disk;
  auto store = must_open(in_memory(disk));
  insert_many(*store, 100, 500);
  ASSERT_OK(insert(*store, "last", {{"n", 1}}));
  const auto before = disk.stats().bytes_stored;
  ASSERT_OK(store->checkpoint());
  EXPECT_LT(disk.stats().bytes_stored, before);
  disk.crash();
  store = nullptr;
  EXPECT_EQ(must_open(in_memory(disk))->last_local_seq(), 101u);
}

TEST(Checkpoint, MakesCommitsDurableThoughARunningReadKeepsTheLog) {
  MemoryDisk disk;
  auto store = must_open(in_memory(disk));
  ASSERT_OK(insert(*store, "d1", {{"n", 1}}));
  ASSERT_OK(store->read([&](sqlite3* connection) -> Status {
    EXPECT_EQ(sqlite3_exec(connection, "SELECT count(*) FROM documents", nullptr, nullptr, nullptr), SQLITE_OK);
    EXPECT_TRUE(insert(*store, "d2", {{"n", 2}}));
    EXPECT_TRUE(insert(*store, "d3", {{"n", 3}}));
    EXPECT_TRUE(store->checkpoint());
    return {};
  }));
  disk.crash();
  store = nullptr;
  EXPECT_EQ(must_open(in_memory(disk))->last_local_seq(), 3u);
}

TEST(Checkpoint, LongAfterTheLastCommitDoesNotMakeTheDatabaseLookLikeACopy) {
  TempDir dir;
  FixedClock clock;  // years ago, so that the file's times are much later than the last commit
  auto options = on_disk(dir.path());
  auto store = must_open(options);
  ASSERT_OK(insert(*store, "d1", {{"n", 1}}));
  const Epoch epoch = store->epoch();
  store.reset();
  run_sql(dir.path(), "UPDATE meta SET value = value - 60000 WHERE key = 'written'; PRAGMA wal_checkpoint");
  // That itself looks like a copy; what counts is the time after it.
  store = must_open(options);
  ASSERT_OK(store->checkpoint());
  ASSERT_OK(store->compact());
  const Epoch next = store->epoch();
  EXPECT_NE(next, epoch);
  store.reset();
  EXPECT_EQ(must_open(options)->epoch(), next);
}

TEST(Backup, HoldsWhatWasCommittedAndNoKeyAndIsSomebodyElse) {
  TempDir dir;
  auto store = must_open(on_disk(dir.file("db")));
  std::ofstream(dir.file("db/device.key")) << "secret";
  insert_many(*store, 500, 300);
  ASSERT_OK(insert(*store, "t1", {{"n", 1}}));
  ASSERT_OK(store->backup(dir.file("backup")));
  EXPECT_EQ(names_in(dir.file("backup")), (std::vector<std::string>{"fermata.db"}));
  EXPECT_EQ(names_in(dir.path()), (std::vector<std::string>{"backup", "db"}));
  ASSERT_OK(insert(*store, "t2", {{"n", 2}}));
  auto copy = must_open(on_disk(dir.file("backup")));
  EXPECT_EQ(view(*copy, "t1"), (Map{{"n", 1}}));
  EXPECT_EQ(view(*copy, "t2"), Map());
  EXPECT_EQ(copy->digest("tasks")->digest.count, 501u);
  expect_agreement(*copy, "tasks");
  EXPECT_NE(copy->epoch(), store->epoch());
  EXPECT_NE(copy->actor(), store->actor());
}

TEST(Backup, IsSomebodyElseWhereNothingIsKnownOfFiles) {
  MemoryDisk disk;
  auto store = must_open(in_memory(disk));
  ASSERT_OK(insert(*store, "d1", {{"n", 1}}));
  ASSERT_OK(store->backup("/backup"));
  auto options = in_memory(disk);
  options.directory = "/backup";
  auto copy = must_open(options);
  EXPECT_NE(copy->epoch(), store->epoch());
  EXPECT_NE(copy->actor(), store->actor());
  EXPECT_EQ(view(*copy, "d1"), (Map{{"n", 1}}));
}

TEST(Backup, HasAChecksumOnEveryPage) {
  TempDir dir;
  auto store = must_open(on_disk(dir.file("db")));
  insert_many(*store, 3000, 2000);  // more than the connection's cache, so that pages are written before the first one
  ASSERT_OK(store->backup(dir.file("backup")));
  auto copy = must_open(on_disk(dir.file("backup")));
  expect_agreement(*copy, "tasks");
  copy.reset();
  std::fstream file(dir.file("backup/fermata.db"), std::ios::binary | std::ios::in | std::ios::out);
  // The small tables that opening reads come first.
  for (std::streamoff at = 50 * 4096 + 2000;
       at < std::streamoff(std::filesystem::file_size(dir.file("backup/fermata.db"))); at += 4096) {
    file.seekg(at);
    const int byte = file.get();
    file.seekp(at);
    file.put(static_cast<char>(byte ^ 1));
  }
  file.close();
  copy = must_open(on_disk(dir.file("backup")));
  ASSERT_NE(copy, nullptr);
  for (int i = 200; i < 3000; i += 100) {
    EXPECT_EQ(copy->load("tasks", fmt::format("d{:05}", i)).error().code, ErrorCode::Corrupt);
  }
}

TEST(Backup, IntoWhatExistsIsRefusedAndLeavesItAlone) {
  TempDir dir;
  auto store = must_open(on_disk(dir.file("db")));
  std::filesystem::create_directory(dir.file("there"));
  for (const std::string name : {"there", "there/", "db"}) {
    const auto done = store->backup(dir.file(name));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::AlreadyExists) << done.error().message;
  }
  EXPECT_EQ(store->backup(dir.file("nowhere/backup")).error().code, ErrorCode::NotFound);
  EXPECT_EQ(names_in(dir.path()), (std::vector<std::string>{"db", "there"}));
}

TEST(Backup, OfADamagedDatabaseFailsAndLeavesNothing) {
  TempDir dir;
  auto store = must_open(on_disk(dir.file("db")));
  insert_many(*store, 200, 2000);
  store.reset();
  {
    std::fstream file(dir.file("db/fermata.db"), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(40 * 4096 + 2000);
    file.put('!');
  }
  store = must_open(on_disk(dir.file("db")));
  const auto done = store->backup(dir.file("backup"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::Corrupt) << done.error().message;
  EXPECT_EQ(names_in(dir.path()), (std::vector<std::string>{"db"}));
}

TEST(Backup, LetsWritersGoOnAndHoldsOneMomentOfThem) {
  TempDir dir;
  auto store = must_open(on_disk(dir.file("db")));
  insert_many(*store, 5000, 300);
  std::atomic<bool> done{false};
  std::uint64_t during = 0;
  std::thread writer([&] {
    for (; !done; ++during) {
      ASSERT_OK(change(*store, [&](Transaction& t) {
        return t.set("tasks", "d00000", {"n"}, static_cast<long>(during)).and_then([&] {
          return t.set("tasks", "d04999", {"n"}, static_cast<long>(during));
        });
      }));
    }
  });
  const Status made = store->backup(dir.file("backup"));
  done = true;
  writer.join();
  ASSERT_OK(made);
  auto copy = must_open(on_disk(dir.file("backup")));
  EXPECT_EQ(view(*copy, "d00000"), view(*copy, "d04999"));
  expect_agreement(*copy, "tasks");
}

TEST(Backup, EndsWhenTheStoreIsClosedAndLeavesNothing) {
  TempDir dir;
  auto store = must_open(on_disk(dir.file("db")));
  insert_many(*store, 5000, 300);
  Status made;
  std::thread maker([&] {
    // Closed is what it may say once it has begun; before that it would open the store again.
    made = store->backup(dir.file("backup"), [&](std::uint64_t, std::uint64_t) {});
  });
  while (made && names_in(dir.path()).size() < 2) std::this_thread::yield();
  ASSERT_OK(store->quiesce(kSoon));
  maker.join();
  if (!made) {
    EXPECT_EQ(made.error().code, ErrorCode::Closed) << made.error().message;
    EXPECT_EQ(names_in(dir.path()), (std::vector<std::string>{"db"}));
  }
}

TEST(Progress, RisesToTheTotalAndItsListenerMayUseTheStore) {
  TempDir dir;
  auto store = must_open(on_disk(dir.file("db")));
  insert_many(*store, 1000, 300);
  std::uint64_t last = 0, end = 0;
  const Progress listener = [&](std::uint64_t done, std::uint64_t total) {
    EXPECT_LE(done, total);
    last = done;
    end = total;
    EXPECT_TRUE(store->load("tasks", "d00001"));
  };
  ASSERT_OK(store->backup(dir.file("backup"), listener));
  EXPECT_GT(end, 300'000u);
  EXPECT_EQ(last, end);
  ASSERT_OK(store->compact(listener));
  EXPECT_EQ(last, end);
}

TEST(Compaction, GivesSpaceBackAndKeepsEverythingElse) {
  TempDir dir;
  auto store = must_open(on_disk(dir.path()));
  insert_many(*store, 2000, 1000);
  ASSERT_OK(store->checkpoint());
  const auto large = std::filesystem::file_size(dir.file("fermata.db"));
  remove_many(*store, 1900);
  ASSERT_OK(insert(*store, "t1", {{"n", 1}}));
  const Epoch epoch = store->epoch();
  ASSERT_OK(store->compact());
  EXPECT_LT(std::filesystem::file_size(dir.file("fermata.db")), large / 5);
  EXPECT_EQ(store->digest("tasks")->digest.count, 101u);
  expect_agreement(*store, "tasks");
  ASSERT_OK(insert(*store, "t2", {{"n", 2}}));
  store.reset();
  store = must_open(on_disk(dir.path()));
  EXPECT_EQ(store->epoch(), epoch);
  expect_agreement(*store, "tasks");
}

TEST(Compaction, PassesOverPagesThatNeverHeldAnythingCommitted) {
  TempDir dir;
  must_open(on_disk(dir.path())).reset();
  run_sql(dir.path(),
          "BEGIN; CREATE TABLE more(x); INSERT INTO more VALUES(zeroblob(900000)); DELETE FROM more; DROP TABLE more; "
          "COMMIT;"
          "BEGIN; CREATE TABLE more(x); INSERT INTO more VALUES(zeroblob(1900000)), (1); DROP TABLE more; COMMIT");
  ASSERT_GT(std::filesystem::file_size(dir.file("fermata.db")), 1'000'000u);
  auto store = must_open(on_disk(dir.path()));
  ASSERT_OK(store->backup(dir.file("backup")));
  ASSERT_OK(store->compact());
  EXPECT_LT(std::filesystem::file_size(dir.file("fermata.db")), 200'000u);
}

TEST(Compaction, LetsReadersGoOn) {
  MemoryDisk disk;
  auto store = must_open(in_memory(disk));
  insert_many(*store, 500, 1000);
  remove_many(*store, 400);
  ASSERT_OK(store->read([&](sqlite3* connection) -> Status {
    EXPECT_EQ(sqlite3_exec(connection, "SELECT count(*) FROM documents", nullptr, nullptr, nullptr), SQLITE_OK);
    EXPECT_TRUE(store->compact());
    EXPECT_EQ(sqlite3_exec(connection, "SELECT body FROM documents", nullptr, nullptr, nullptr), SQLITE_OK);
    return {};
  }));
  expect_agreement(*store, "tasks");
  ASSERT_OK(store->checkpoint());
  expect_agreement(*store, "tasks");
}

TEST(Compaction, WithoutSpaceSaysSoAndChangesNothing) {
  MemoryDisk disk;
  auto store = must_open(in_memory(disk));
  insert_many(*store, 500, 1000);
  disk.limit_free_space(100'000);
  const auto done = store->compact();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::NoSpace) << done.error().message;
  disk.unlimited_space();
  expect_agreement(*store, "tasks");
  ASSERT_OK(insert(*store, "t1", {{"n", 1}}));
  expect_agreement(*store, "tasks");
}

}  // namespace
}  // namespace fermata::store
