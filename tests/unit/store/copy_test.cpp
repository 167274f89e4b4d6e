// Who a database is after its directory was copied, restored or moved.
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "store/attachments.hpp"
#include "store/connection.hpp"
#include "store_fixture.hpp"

namespace fermata::store {
namespace {

using support::TempDir;

struct Who {
  Epoch epoch;
  crdt::ActorId actor = 0;
  bool operator==(const Who&) const = default;
};

Who who(const Store& store) {
  return {store.epoch(), store.actor()};
}

// Opens the database and closes it again, cleanly.
Who who_opens(const StoreOptions& options) {
  return who(*must_open(options));
}

void copy(const std::string& from, const std::string& to) {
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
}

void expect_all_new(const Who& now, const Who& before) {
  EXPECT_NE(now.epoch, before.epoch);
  EXPECT_NE(now.actor, before.actor);
}

// A cleanly closed database of one document.
Who make(const std::string& directory) {
  auto store = must_open(on_disk(directory));
  EXPECT_TRUE(insert(*store, "t1", {{"n", 1}}));
  return who(*store);
}

void forget_file(const std::string& directory) {
  EXPECT_EQ(run_sql(directory, "DELETE FROM meta WHERE key = 'file'"), 1);
}

// As `cp -r backup/. directory` does: into the same files. The clock is not ours to turn, so the backup gets older.
void put_back(const std::string& backup, const std::string& directory) {
  EXPECT_EQ(run_sql(backup, "UPDATE meta SET value = value - 60000 WHERE key = 'written'"), 1);
  for (const auto& file : std::filesystem::directory_iterator(backup)) {
    std::ifstream in(file.path(), std::ios::binary);
    std::ofstream out(directory + "/" + file.path().filename().string(), std::ios::binary | std::ios::trunc);
    if (in.peek() != std::ifstream::traits_type::eof()) out << in.rdbuf();
  }
}

TEST(Copy, ThatIsPutBackOverItsOriginIsSomebodyElse) {
  TempDir dir;
  const Who original = make(dir.file("db"));
  copy(dir.file("db"), dir.file("backup"));
  {
    auto store = must_open(on_disk(dir.file("db")));
    ASSERT_OK(insert(*store, "t2", {{"n", 2}}));
    EXPECT_EQ(who(*store), original);
  }
  put_back(dir.file("backup"), dir.file("db"));
  auto store = must_open(on_disk(dir.file("db")));
  EXPECT_EQ(store->last_local_seq(), 1u);
  expect_all_new(who(*store), original);
}

// A process that opens the database, does something with it, and is killed.
template <class Use>
void use_and_die(const StoreOptions& options, const Use& use) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto store = Store::open(options);
    ::_exit(store && use(**store) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(Copy, ThatIsPutBackOverItsOriginStaysSomebodyElseWhateverItsFirstProcessDidBeforeItWasKilled) {
  const std::function<bool(Store&)> uses[] = {
      [](Store& store) {
        return insert(store, "t3", {{"n", 3}}).has_value();
      },
      [](Store& store) { return store.remember_epoch("device", "epoch").has_value(); },
      [](Store& store) { return store.checkpoint().has_value(); },
      [](Store& store) {
        return store.attachments().put([](auto) { return Result<std::size_t>(0); }, {}).has_value();
      }};
  for (const auto& use : uses) {
    TempDir dir;
    const Who original = make(dir.file("db"));
    copy(dir.file("db"), dir.file("backup"));
    {
      auto store = must_open(on_disk(dir.file("db")));
      ASSERT_OK(insert(*store, "t2", {{"n", 2}}));
    }
    put_back(dir.file("backup"), dir.file("db"));
    use_and_die(on_disk(dir.file("db")), use);
    expect_all_new(who_opens(on_disk(dir.file("db"))), original);
  }
}

// What the store remembers as its last write, in milliseconds.
std::int64_t written(Store& store) {
  std::int64_t ms = 0;
  EXPECT_TRUE(store.read([&](sqlite3* database) -> Status {
    sqlite3_stmt* select = nullptr;
    sqlite3_prepare_v2(database, "SELECT value FROM meta WHERE key = 'written'", -1, &select, nullptr);
    if (sqlite3_step(select) == SQLITE_ROW) ms = sqlite3_column_int64(select, 0);
    sqlite3_finalize(select);
    return {};
  }));
  return ms;
}

TEST(Copy, IsToldByATimeThatIsKeptOncePerSecondAndAtTheClosing) {
  using std::chrono::milliseconds;
  support::MemoryDisk disk;
  FixedClock clock;
  auto options = in_memory(disk);
  options.clock = &clock;
  auto store = must_open(options);
  const std::int64_t begin = clock.wall.time_since_epoch().count();
  const auto commit_after = [&](int ms) {
    static int number = 0;
    clock.wall += milliseconds(ms);
    EXPECT_TRUE(insert(*store, std::to_string(number++), {}));
    return written(*store) - begin;
  };
  EXPECT_EQ(commit_after(0), 0);
  EXPECT_EQ(commit_after(999), 0);
  EXPECT_EQ(commit_after(1), 1000);
  EXPECT_EQ(commit_after(-500), 500);
  EXPECT_EQ(commit_after(700), 500);
  ASSERT_OK(store->quiesce(std::chrono::seconds(5)));
  EXPECT_EQ(written(*store) - begin, 1200);
}

TEST(Copy, NothingThatWeWroteOurselvesLooksLikeOne) {
  TempDir dir;
  const Who original = make(dir.file("db"));
  for (int i = 0; i < 3; ++i) {
    auto store = must_open(on_disk(dir.file("db")));
    EXPECT_EQ(who(*store), original);
    ASSERT_OK(store->quiesce(std::chrono::seconds(5)));
    ASSERT_OK(insert(*store, "t" + std::to_string(10 + i), {{"n", i}}));
    EXPECT_EQ(who(*store), original);
  }
}

TEST(Copy, BesideItsOriginIsSomebodyElseAndTheOriginStaysItself) {
  TempDir dir;
  const Who original = make(dir.file("db"));
  copy(dir.file("db"), dir.file("clone"));
  auto clone = must_open(on_disk(dir.file("clone")));
  const Who cloned = who(*clone);
  expect_all_new(cloned, original);
  EXPECT_EQ(view(*clone, "t1"), (Map{{"n", 1}}));
  ASSERT_OK(insert(*clone, "t2", {{"n", 2}}));
  EXPECT_EQ(clone->last_local_seq(), 2u);
  clone.reset();
  EXPECT_EQ(who_opens(on_disk(dir.file("clone"))), cloned) << "a commit saves who the copy is";
  EXPECT_EQ(who_opens(on_disk(dir.file("db"))), original);
}

TEST(Copy, KeepsItsNewNamesAfterACleanCloseWithoutACommit) {
  TempDir dir;
  make(dir.file("db"));
  copy(dir.file("db"), dir.file("clone"));
  const Who cloned = who_opens(on_disk(dir.file("clone")));
  EXPECT_EQ(who_opens(on_disk(dir.file("clone"))), cloned);
}

TEST(Copy, OfADatabaseInUseIsSomebodyElseToo) {
  TempDir dir;
  auto store = must_open(on_disk(dir.file("db")));
  ASSERT_OK(insert(*store, "t1", {{"n", 1}}));
  copy(dir.file("db"), dir.file("clone"));
  expect_all_new(who_opens(on_disk(dir.file("clone"))), who(*store));
}

TEST(Copy, OfACopyIsSomebodyElseThanBoth) {
  TempDir dir;
  const Who original = make(dir.file("db"));
  copy(dir.file("db"), dir.file("clone"));
  const Who cloned = who_opens(on_disk(dir.file("clone")));
  copy(dir.file("clone"), dir.file("third"));
  const Who third = who_opens(on_disk(dir.file("third")));
  expect_all_new(third, cloned);
  expect_all_new(third, original);
}

TEST(Copy, PutBackInTheOriginalsPlaceIsSomebodyElse) {
  TempDir dir;
  const Who original = make(dir.file("db"));
  copy(dir.file("db"), dir.file("backup"));
  ASSERT_OK(insert(*must_open(on_disk(dir.file("db"))), "lost", {{"n", 2}}));
  std::filesystem::remove_all(dir.file("db"));
  std::filesystem::rename(dir.file("backup"), dir.file("db"));
  auto restored = must_open(on_disk(dir.file("db")));
  expect_all_new(who(*restored), original);
  EXPECT_EQ(view(*restored, "lost"), Map());
}

TEST(Copy, PutInPlaceWhileTheStoreWasQuiescedIsNoticedByTheNextUse) {
  TempDir dir;
  auto store = must_open(on_disk(dir.file("db")));
  ASSERT_OK(insert(*store, "t1", {{"n", 1}}));
  const Who original = who(*store);
  ASSERT_OK(store->quiesce(std::chrono::seconds(5)));
  std::filesystem::copy_file(dir.file("db/fermata.db"), dir.file("backup"));
  std::filesystem::rename(dir.file("backup"), dir.file("db/fermata.db"));
  ASSERT_OK(insert(*store, "t2", {{"n", 2}}));
  expect_all_new(who(*store), original);
}

TEST(Moving, ADatabaseOrItsFileChangesNothing) {
  TempDir dir;
  const Who original = make(dir.file("db"));
  std::filesystem::rename(dir.file("db"), dir.file("moved"));
  EXPECT_EQ(who_opens(on_disk(dir.file("moved"))), original);
  std::filesystem::create_directory(dir.file("other"));
  std::filesystem::rename(dir.file("moved/fermata.db"), dir.file("other/fermata.db"));
  EXPECT_EQ(who_opens(on_disk(dir.file("other"))), original);
}

TEST(Moving, NeitherQuiesceNorARebootNorManyCheckpointsChangeWhoItIs) {
  TempDir dir;
  auto store = must_open(on_disk(dir.path()));
  const Who original = who(*store);
  const std::string large(200'000, 'x');
  for (int n = 0; n < 30; ++n) {  // more than SQLite's 1000 pages between checkpoints
    ASSERT_OK(insert(*store, "d" + std::to_string(n), {{"text", large}}));
  }
  ASSERT_OK(store->quiesce(std::chrono::seconds(5)));
  ASSERT_OK(insert(*store, "t1", {{"n", 1}}));
  EXPECT_EQ(who(*store), original);
  store.reset();
  auto options = on_disk(dir.path());
  options.boot_id = "boot-2";
  EXPECT_EQ(who_opens(options), original);
}

TEST(Copy, OfADatabaseThatDidNotRememberItsFileYetIsKnownFromTheNextCloseOn) {
  TempDir dir;
  const Who original = make(dir.file("db"));
  forget_file(dir.file("db"));
  EXPECT_EQ(who_opens(on_disk(dir.file("db"))), original);
  copy(dir.file("db"), dir.file("clone"));
  expect_all_new(who_opens(on_disk(dir.file("clone"))), original);
  EXPECT_EQ(who_opens(on_disk(dir.file("db"))), original);
}

TEST(Copy, WhateverIsWrittenSaysWhen) {
  const std::function<Status(Store&)> writes[] = {
      [](Store& store) { return store.remember("fact", "text"); },
      [](Store& store) { return store.remember_epoch("device", "epoch"); },
      [](Store& store) {
        return store.learn("tasks", {{77, 5}});
      },
      [](Store& store) { return store.source_number("remote") ? Status() : Status(fail(ErrorCode::Io, "")); }};
  TempDir dir;
  FixedClock clock;
  auto options = on_disk(dir.path());
  options.clock = &clock;
  auto store = must_open(options);
  for (const auto& write : writes) {
    clock.wall += std::chrono::hours(1);
    ASSERT_OK(write(*store));
    std::string written;
    ASSERT_OK(store->read([&](Connection& connection) -> Status {
      written = connection.ask("SELECT value FROM meta WHERE key = 'written'").value();
      return {};
    }));
    EXPECT_EQ(written, std::to_string(clock.wall.time_since_epoch().count()));
  }
}

}  // namespace
}  // namespace fermata::store
