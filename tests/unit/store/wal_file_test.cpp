// The log that gathers frames (wal_file.hpp), under SQLite itself on a disk in memory.
#include <sqlite3.h>

#include "store_fixture.hpp"

namespace fermata::store {
namespace {

using support::MemoryDisk;

class WalFile : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = ChecksumVfs::around(disk_.vfs());
    ASSERT_TRUE(made);
    vfs_ = std::move(*made);
    writer_ = open();
    run("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = NORMAL;"
        "CREATE TABLE t(id INTEGER PRIMARY KEY, content BLOB)");
    fill(1, 200);
  }
  void TearDown() override {
    for (sqlite3* connection : open_) EXPECT_EQ(sqlite3_close(connection), SQLITE_OK);
  }

  sqlite3* open() {
    sqlite3* connection = nullptr;
    EXPECT_EQ(sqlite3_open_v2("/t.db", &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs_->name().c_str()),
              SQLITE_OK);
    open_.push_back(connection);
    return connection;
  }

  int try_to(const std::string& sql, sqlite3* connection) {
    return sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, nullptr);
  }
  void run(const std::string& sql) { EXPECT_EQ(try_to(sql, writer_), SQLITE_OK) << sqlite3_errmsg(writer_); }
  // Documents from..to, each of a size that makes a page hold few of them.
  void fill(int from, int to) {
    run("WITH RECURSIVE n(i) AS (VALUES(" + std::to_string(from) + ") UNION ALL SELECT i + 1 FROM n WHERE i < " +
        std::to_string(to) + ") INSERT INTO t SELECT i, zeroblob(1000) FROM n");
  }
  static std::int64_t number(sqlite3* connection, const char* sql) {
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(connection, sql, -1, &statement, nullptr), SQLITE_OK);
    EXPECT_EQ(sqlite3_step(statement), SQLITE_ROW) << sqlite3_errmsg(connection);
    const std::int64_t found = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return found;
  }

  MemoryDisk disk_;
  std::unique_ptr<ChecksumVfs> vfs_;
  std::vector<sqlite3*> open_;
  sqlite3* writer_ = nullptr;
};

TEST_F(WalFile, ACommitOfSeveralPagesIsOneWrite) {
  run("UPDATE t SET content = zeroblob(999) WHERE id = 1");  // the log has been read by what came before
  const auto before = disk_.stats();
  run("UPDATE t SET content = zeroblob(998) WHERE id IN (1, 50, 100, 150)");
  const auto after = disk_.stats();
  EXPECT_EQ(after.writes - before.writes, 1u);
  EXPECT_GE(after.bytes_written - before.bytes_written, 4u * 4096);
}

TEST_F(WalFile, WhatIsCommittedIsSeenByOthersAtOnce) {
  sqlite3* const reader = open();
  for (int i = 1; i <= 20; ++i) {
    run("UPDATE t SET content = zeroblob(" + std::to_string(1000 + i) + ") WHERE id % 10 = 0");
    EXPECT_EQ(number(reader, "SELECT count(*) FROM t WHERE length(content) = 1000"), 180);
    EXPECT_EQ(number(reader, "SELECT max(length(content)) FROM t"), 1000 + i);
  }
}

// With a cache of a few pages SQLite writes them to the log before the commit, reads them back, and writes some anew.
TEST_F(WalFile, ATransactionLargerThanTheCacheReadsAndRewritesItsOwnFrames) {
  run("PRAGMA cache_size = 10");
  sqlite3* const reader = open();
  run("BEGIN");
  for (int round = 1; round <= 3; ++round) {
    run("UPDATE t SET content = zeroblob(" + std::to_string(1000 + round) + ")");
    EXPECT_EQ(number(writer_, "SELECT sum(length(content)) FROM t"), 200 * (1000 + round));
    EXPECT_EQ(number(reader, "SELECT sum(length(content)) FROM t"), 200 * 1000) << "nothing is committed yet";
  }
  run("COMMIT");
  EXPECT_EQ(number(reader, "SELECT sum(length(content)) FROM t"), 200 * 1003);
  EXPECT_EQ(number(open(), "SELECT count(*) FROM t WHERE length(content) = 1003"), 200);
}

TEST_F(WalFile, AFrameIsReadBackBeforeItsCommit) {
  run("BEGIN; UPDATE t SET content = zeroblob(7) WHERE id = 1");
  ASSERT_EQ(sqlite3_db_cacheflush(writer_), SQLITE_OK);
  ASSERT_EQ(sqlite3_db_release_memory(writer_), SQLITE_OK);
  EXPECT_EQ(number(writer_, "SELECT length(content) FROM t WHERE id = 1"), 7);
  run("COMMIT");
}

TEST_F(WalFile, FramesThatAreWrittenAnewInOneTransactionAreSoundAfterAKill) {
  run("BEGIN; UPDATE t SET content = zeroblob(7) WHERE id IN (1, 50, 100)");
  ASSERT_EQ(sqlite3_db_cacheflush(writer_), SQLITE_OK);
  run("UPDATE t SET content = zeroblob(8) WHERE id IN (1, 50, 100); COMMIT");
  run("UPDATE t SET content = zeroblob(8) WHERE id = 150");
  disk_.kill_process();
  EXPECT_EQ(number(open(), "SELECT count(*) FROM t WHERE length(content) = 8"), 4);
}

TEST_F(WalFile, WhatIsRolledBackAfterItWasWrittenIsNeverSeen) {
  run("PRAGMA cache_size = 10");
  run("BEGIN; UPDATE t SET content = zeroblob(5); ROLLBACK");
  fill(201, 300);
  EXPECT_EQ(number(open(), "SELECT count(*) FROM t WHERE length(content) = 1000"), 300);
}

TEST_F(WalFile, ACommitWhoseWriteFailsIsAnErrorAndLeavesNothing) {
  disk_.fail_write(1);
  EXPECT_NE(try_to("UPDATE t SET content = zeroblob(7)", writer_), SQLITE_OK);
  EXPECT_EQ(number(writer_, "SELECT count(*) FROM t WHERE length(content) = 1000"), 200);
  run("UPDATE t SET content = zeroblob(8)");
  EXPECT_EQ(number(open(), "SELECT count(*) FROM t WHERE length(content) = 8"), 200);
}

TEST_F(WalFile, ALogThatAKilledProcessLeavesHasAllCommits) {
  for (int i = 1; i <= 5; ++i) fill(200 + i, 200 + i);
  disk_.kill_process();
  EXPECT_EQ(number(open(), "SELECT count(*) FROM t"), 205);
}

TEST_F(WalFile, ALogThatBeginsAnewIsReadFromItsBeginning) {
  for (int i = 1; i <= 5; ++i) {
    run("PRAGMA wal_checkpoint(RESTART)");
    run("UPDATE t SET content = zeroblob(" + std::to_string(2000 + i) + ") WHERE id <= 20");
    disk_.kill_process();
    const std::string changed = "SELECT count(*) FROM t WHERE length(content) = " + std::to_string(2000 + i);
    EXPECT_EQ(number(open(), changed.c_str()), 20);
    writer_ = open();
    run("PRAGMA wal_autocheckpoint = 0");
  }
}

}  // namespace
}  // namespace fermata::store
