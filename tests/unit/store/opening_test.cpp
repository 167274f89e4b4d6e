#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "store/check.hpp"
#include "store_fixture.hpp"

namespace fermata::store {
namespace {

using support::MemoryDisk;
using support::TempDir;

// The inodes on which this process holds locks, from /proc/locks.
std::set<std::uint64_t> locked_inodes() {
  std::ifstream file("/proc/locks");
  std::set<std::uint64_t> inodes;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string number, kind, mode, access, device_inode;
    long pid = 0;
    words >> number >> kind >> mode >> access >> pid >> device_inode;
    if (pid == static_cast<long>(::getpid())) {
      inodes.insert(std::stoull(device_inode.substr(device_inode.rfind(':') + 1)));
    }
  }
  return inodes;
}

std::size_t locks_below(const std::string& directory) {
  const auto locked = locked_inodes();
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    struct stat info {};
    if (::stat(entry.path().c_str(), &info) == 0 && locked.contains(info.st_ino)) ++count;
  }
  return count;
}

TEST(Opening, WhatWasWrittenIsThereAfterClosingAndOpeningAgain) {
  TempDir dir;
  auto store = must_open(on_disk(dir.file("db")));
  ASSERT_OK(insert(*store, "t1", {{"title", "Buy milk"}, {"tags", Map{{"shop", true}}}}));
  const auto epoch = store->epoch();
  const auto actor = store->actor();
  store.reset();
  EXPECT_EQ(locks_below(dir.file("db")), 0u);
  store = must_open(on_disk(dir.file("db")));
  EXPECT_EQ(view(*store, "t1"), (Map{{"title", "Buy milk"}, {"tags", Map{{"shop", true}}}}));
  EXPECT_EQ(store->last_local_seq(), 1u);
  EXPECT_EQ(store->epoch(), epoch);
  EXPECT_EQ(store->actor(), actor);
}

TEST(Opening, ADirectoryThatMustExistAndHoldsNoDatabaseIsNotFoundAndStaysEmpty) {
  TempDir dir;
  auto options = on_disk(dir.path());
  options.must_exist = true;
  auto store = Store::open(options);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::NotFound);
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST(Opening, AnEmptyFileWhereADatabaseMustExistIsCorruptAndStaysAsItIs) {
  for (const std::size_t size : {0u, 1u, 99u, 511u}) {
    SCOPED_TRACE(size);
    TempDir dir;
    std::ofstream(dir.file("fermata.db")) << std::string(size, '\0');
    auto options = on_disk(dir.path());
    options.must_exist = true;
    auto store = Store::open(options);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::Corrupt);
    const std::string words = size <= 1 ? std::string(": its fermata.db is empty")
                                        : ": its fermata.db is cut off (bytes left: " + std::to_string(size);
    EXPECT_NE(store.error().message.find(dir.path() + words), std::string::npos) << store.error().message;
    EXPECT_EQ(std::filesystem::file_size(dir.file("fermata.db")), size);
    EXPECT_EQ(locks_below(dir.path()), 0u);
  }
}

// A closed database, of which this is left of its file.
void leave_of_a_database(const std::string& directory, std::uintmax_t bytes) {
  auto store = must_open(on_disk(directory));
  ASSERT_OK(insert(*store, "t1", {{"title", "Buy milk"}}));
  store.reset();
  std::filesystem::resize_file(directory + "/fermata.db", bytes);
}

TEST(Opening, ADatabaseWhoseFileWasEmptiedIsCorruptAndNotBegunAnew) {
  for (const std::uintmax_t size : {0u, 1u, 99u, 511u, 4095u}) {
    SCOPED_TRACE(size);
    TempDir dir;
    leave_of_a_database(dir.path(), size);
    for (int i = 0; i < 2; ++i) {
      auto store = Store::open(on_disk(dir.path()));
      ASSERT_FALSE(store);
      EXPECT_EQ(store.error().code, ErrorCode::Corrupt);
      EXPECT_NE(store.error().message.find(dir.path() + ": "), std::string::npos);
      EXPECT_NE(store.error().message.find("restore a copy"), std::string::npos) << store.error().message;
    }
    EXPECT_EQ(std::filesystem::file_size(dir.file("fermata.db")), size);
  }
}

TEST(Opening, ADatabaseWhoseFileIsGoneIsCorruptUnlessTheLockIsGoneToo) {
  TempDir dir;
  leave_of_a_database(dir.path(), 0);
  std::filesystem::remove(dir.file("fermata.db"));
  for (const bool must_exist : {false, true}) {
    auto options = on_disk(dir.path());
    options.must_exist = must_exist;
    const auto lost = Store::open(options);
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, ErrorCode::Corrupt) << must_exist;
  }
  EXPECT_FALSE(std::filesystem::exists(dir.file("fermata.db")));
  std::filesystem::remove(dir.file("lock"));
  auto store = must_open(on_disk(dir.path()));
  EXPECT_EQ(store->last_local_seq(), 0u);
}

TEST(Opening, ALogWithoutItsDatabaseIsCorruptAndIsNotThrownAway) {
  TempDir dir, copy;
  {
    auto store = must_open(on_disk(dir.path()));
    ASSERT_OK(insert(*store, "t1", {{"title", "Buy milk"}}));
    std::filesystem::copy(dir.path(), copy.path(), std::filesystem::copy_options::recursive);
  }
  std::filesystem::remove(copy.file("lock"));
  std::filesystem::resize_file(copy.file("fermata.db"), 0);
  const auto log = std::filesystem::file_size(copy.file("fermata.db-wal"));
  ASSERT_GT(log, 0u);
  for (const bool must_exist : {false, true}) {
    auto options = on_disk(copy.path());
    options.must_exist = must_exist;
    const auto store = Store::open(options);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::Corrupt);
  }
  const auto report = check({.directory = copy.path(), .mode = CheckMode::Repair});
  ASSERT_OK(report);
  EXPECT_FALSE(report->sound());
  EXPECT_EQ(std::filesystem::file_size(copy.file("fermata.db-wal")), log);
}

TEST(Opening, ALogThatWasTakenAwayBeforeAnythingLeftItIsNoticed) {
  TempDir dir, copy;
  {
    auto store = must_open(on_disk(dir.path()));
    ASSERT_OK(insert(*store, "t1", {{"title", "Buy milk"}}));
    ASSERT_OK(store->quiesce(std::chrono::seconds(5)));
    std::filesystem::copy(dir.file("lock"), copy.file("lock"));
  }
  TempDir young;
  auto store = must_open(on_disk(young.path()));
  std::filesystem::copy(young.file("fermata.db"), copy.file("fermata.db"));
  ASSERT_EQ(std::filesystem::file_size(copy.file("fermata.db")), 4096u);
  const auto lost = Store::open(on_disk(copy.path()));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ErrorCode::Corrupt);
}

TEST(Opening, AnInterruptedCreationIsBegunAgain) {
  TempDir dir, copy;
  {
    auto store = must_open(on_disk(dir.path()));
    std::filesystem::copy(dir.path(), copy.path(), std::filesystem::copy_options::recursive);
  }
  // The lock file would know of its first commit, which was not to be.
  for (const char* late : {"fermata.db-wal", "fermata.db-shm", "lock"}) std::filesystem::remove(copy.file(late));
  for (const std::uintmax_t size : {4096u, 0u}) {
    SCOPED_TRACE(size);
    TempDir again;
    std::filesystem::copy(copy.path(), again.path(), std::filesystem::copy_options::recursive);
    std::filesystem::resize_file(again.file("fermata.db"), size);
    auto store = must_open(on_disk(again.path()));
    ASSERT_OK(insert(*store, "t1", {{"title", "Buy milk"}}));
  }
}

TEST(Opening, AFileThatIsNoDatabaseIsCorruptAndStaysAsItIs) {
  TempDir dir;
  const std::string text(4000, 'x');
  std::ofstream(dir.file("fermata.db")) << text;
  auto store = Store::open(on_disk(dir.path()));
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::Corrupt);
  EXPECT_NE(store.error().message.find(dir.path() + " is not a Fermata database"), std::string::npos)
      << store.error().message;
  EXPECT_EQ(store.error().message.find("fermata.db is file is"), std::string::npos) << store.error().message;
  std::ifstream file(dir.file("fermata.db"));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), text);
}

TEST(Opening, AnotherProgramsDatabaseIsRefusedAndNotTouched) {
  TempDir dir;
  run_sql(dir.path(), "CREATE TABLE theirs(a)");
  auto store = Store::open(on_disk(dir.path()));
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::Corrupt);
  EXPECT_FALSE(std::filesystem::exists(dir.file("fermata.db-wal")));
}

TEST(Opening, ANewerFormatIsAVersionMismatch) {
  TempDir dir;
  must_open(on_disk(dir.path())).reset();
  run_sql(dir.path(), "PRAGMA user_version = 99");
  auto store = Store::open(on_disk(dir.path()));
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::VersionMismatch);
  EXPECT_NE(store.error().message.find("99"), std::string::npos);
}

TEST(Opening, ADirectoryInUseIsBusyAndNamed) {
  TempDir dir;
  auto first = must_open(on_disk(dir.path()));
  auto second = Store::open(on_disk(dir.path()));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::Busy);
  EXPECT_NE(second.error().message.find(dir.path()), std::string::npos);
  first.reset();
  EXPECT_TRUE(Store::open(on_disk(dir.path())));
}

TEST(Opening, APathThatIsAFileIsAnErrorThatNamesIt) {
  TempDir dir;
  std::ofstream(dir.file("plain")) << "text";
  auto store = Store::open(on_disk(dir.file("plain")));
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::Io);
  EXPECT_NE(store.error().message.find("plain"), std::string::npos);
}

TEST(Quiesce, LeavesNoLockAndNoLogAndTheNextUseReopens) {
  TempDir dir;
  auto store = must_open(on_disk(dir.path()));
  ASSERT_OK(insert(*store, "t1", {{"n", 1}}));
  EXPECT_EQ(view(*store, "t1"), (Map{{"n", 1}}));
  ASSERT_GT(locks_below(dir.path()), 0u) << "the check sees no locks at all";
  const auto actor = store->actor();
  ASSERT_OK(store->quiesce(std::chrono::seconds(5)));
  EXPECT_EQ(locks_below(dir.path()), 0u);
  EXPECT_FALSE(std::filesystem::exists(dir.file("fermata.db-wal")));
  EXPECT_EQ(store->last_local_seq(), 1u);
  EXPECT_EQ(locks_below(dir.path()), 0u) << "asking for the last local seq opened the store";
  EXPECT_EQ(view(*store, "t1"), (Map{{"n", 1}}));
  ASSERT_OK(insert(*store, "t2", {{"n", 2}}));
  EXPECT_EQ(store->last_local_seq(), 2u);
  EXPECT_EQ(store->actor(), actor);
}

TEST(Quiesce, GivesTheDirectoryToOthersAndIsBusyWhileTheyHaveIt) {
  TempDir dir;
  auto store = must_open(on_disk(dir.path()));
  ASSERT_OK(insert(*store, "t1", {{"n", 1}}));
  ASSERT_OK(store->quiesce(std::chrono::seconds(5)));
  auto other = must_open(on_disk(dir.path()));
  ASSERT_OK(insert(*other, "t2", {{"n", 2}}));
  auto refused = store->begin();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::Busy);
  other.reset();
  ASSERT_OK(insert(*store, "t3", {{"n", 3}}));
  EXPECT_EQ(store->last_local_seq(), 3u);
  EXPECT_EQ(view(*store, "t2"), (Map{{"n", 2}}));
}

TEST(Quiesce, TimesOutOnARunningTransactionAndLosesNothing) {
  MemoryDisk disk;
  auto store = must_open(in_memory(disk));
  {
    auto transaction = store->begin();
    ASSERT_OK(transaction);
    ASSERT_OK(transaction->insert("tasks", "t1", {{"n", 1}}));
    Status outcome;
    std::thread([&] { outcome = store->quiesce(std::chrono::milliseconds(20)); }).join();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ErrorCode::Timeout);
    ASSERT_OK(transaction->commit());
  }
  ASSERT_OK(store->quiesce(std::chrono::seconds(5)));
  EXPECT_EQ(disk.open_files(), 0u);
  EXPECT_EQ(view(*store, "t1"), (Map{{"n", 1}}));
}

TEST(Quiesce, TimesOutOnARunningReadWhichThenGoesOn) {
  MemoryDisk disk;
  auto store = must_open(in_memory(disk));
  ASSERT_OK(insert(*store, "t1", {{"n", 1}}));
  Status outcome;
  ASSERT_OK(store->read([&](sqlite3*) -> Status {
    std::thread([&] { outcome = store->quiesce(std::chrono::milliseconds(20)); }).join();
    return {};
  }));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::Timeout);
  EXPECT_EQ(view(*store, "t1"), (Map{{"n", 1}}));
}

TEST(Quiesce, EndsAStatementThatAReaderForgot) {
  MemoryDisk disk;
  auto store = must_open(in_memory(disk));
  ASSERT_OK(insert(*store, "t1", {{"n", 1}}));
  ASSERT_OK(store->read([&](sqlite3* connection) -> Status {
    sqlite3_stmt* forgotten = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(connection, "SELECT id FROM documents", -1, &forgotten, nullptr), SQLITE_OK);
    EXPECT_EQ(sqlite3_step(forgotten), SQLITE_ROW);
    return {};
  }));
  ASSERT_OK(store->quiesce(std::chrono::seconds(5)));
  EXPECT_EQ(disk.open_files(), 0u);
}

TEST(Connections, EachOneGetsTheSetupNowAndLater) {
  MemoryDisk disk;
  auto store = must_open(in_memory(disk));
  EXPECT_EQ(view(*store, "t1"), Map());
  store->on_connection([](sqlite3* connection) {
    sqlite3_create_function(
        connection, "seven", 0, SQLITE_UTF8, nullptr,
        [](sqlite3_context* context, int, sqlite3_value**) { sqlite3_result_int(context, 7); }, nullptr, nullptr);
  });
  const auto seven = [](sqlite3* connection) -> Status {
    EXPECT_EQ(sqlite3_exec(connection, "SELECT seven()", nullptr, nullptr, nullptr), SQLITE_OK);
    return {};
  };
  ASSERT_OK(store->read(seven));
  ASSERT_OK(store->quiesce(std::chrono::seconds(5)));
  ASSERT_OK(store->read(seven));
  auto transaction = store->begin();
  ASSERT_OK(transaction);
  ASSERT_OK(seven(transaction->connection()));
}

TEST(Connections, AReaderKeepsItsSnapshotWhileTheWriterGoesOn) {
  MemoryDisk disk;
  auto store = must_open(in_memory(disk));
  ASSERT_OK(insert(*store, "t1", {{"n", 1}}));
  const auto count = [](sqlite3* connection) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(connection, "SELECT count(*) FROM documents", -1, &statement, nullptr);
    sqlite3_step(statement);
    const int documents = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return documents;
  };
  ASSERT_OK(store->read([&](sqlite3* connection) -> Status {
    EXPECT_EQ(count(connection), 1);
    EXPECT_TRUE(insert(*store, "t2", {{"n", 2}}));
    EXPECT_EQ(count(connection), 1);
    return {};
  }));
  EXPECT_EQ(view(*store, "t2"), (Map{{"n", 2}}));
}

}  // namespace
}  // namespace fermata::store
