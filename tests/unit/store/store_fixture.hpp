// What store tests share: a clock that stands still unless moved, and short ways to write and read.
#pragma once

#include <gtest/gtest.h>

#include <sqlite3.h>

#include <fstream>

#include "store/checksum_vfs.hpp"
#include "store/field_functions.hpp"
#include "store/store.hpp"
#include "support/memory_vfs.hpp"
#include "support/temp_dir.hpp"

namespace fermata::store {

class FixedClock final : public Clock {
 public:
  explicit FixedClock(WallTime at = WallTime(std::chrono::milliseconds(1'700'000'000'000))) : wall(at) {}
  Instant now() override { return Instant(Duration(1)); }
  WallTime wall_now() override { return wall; }
  WallTime wall;
};

template <class T>
std::string why(const Result<T>& result) {
  return result ? "success" : std::string(name_of(result.error().code)) + ": " + result.error().message;
}

#define ASSERT_OK(expression)                                                    \
  do {                                                                           \
    const auto& result_of = (expression);                                        \
    ASSERT_TRUE(result_of.has_value()) << #expression << ": " << why(result_of); \
  } while (false)

inline std::unique_ptr<Store> must_open(StoreOptions options) {
  auto store = Store::open(std::move(options));
  EXPECT_TRUE(store.has_value()) << why(store);
  return store ? *std::move(store) : nullptr;
}

// A local transaction. Result: the last local seq.
template <class Change>
Result<std::uint64_t> change(Store& store, const Change& make) {
  auto transaction = store.begin();
  if (!transaction) return fail(transaction.error());
  if (Status made = make(*transaction); !made) return fail(made.error());
  return transaction->commit();
}

// A local transaction of one insert. Result: the last local seq.
inline Result<std::uint64_t> insert(Store& store, const std::string& id, const Map& fields,
                                    const std::string& collection = "tasks") {
  auto transaction = store.begin();
  if (!transaction) return fail(transaction.error());
  if (auto done = transaction->insert(collection, id, fields); !done) return fail(done.error());
  return transaction->commit();
}

inline Result<std::uint64_t> set(Store& store, const std::string& id, const std::string& field, const Value& value) {
  auto transaction = store.begin();
  if (!transaction) return fail(transaction.error());
  if (auto done = transaction->set("tasks", id, {field}, value); !done) return fail(done.error());
  return transaction->commit();
}

// What one remote sent, in a transaction. Result: the last local seq.
inline Result<std::uint64_t> take_in(Store& store, crdt::Delta delta) {
  const auto source = store.source_number("remote");
  if (!source) return fail(source.error());
  auto transaction = store.begin();
  if (!transaction) return fail(transaction.error());
  if (auto merged = transaction->merge(std::move(delta), *source); !merged) return fail(merged.error());
  return transaction->commit();
}

inline Map view(Store& store, const std::string& id) {
  auto document = store.load("tasks", id);
  EXPECT_TRUE(document.has_value()) << why(document);
  return document ? document->view() : Map();
}

// Adds the digest up from the documents themselves, and holds everything else against it.
inline void expect_agreement(Store& store, const std::string& collection) {
  crdt::Digest truth;
  auto log = store.changes_since(0, 1'000'000, std::size_t{1} << 30);
  ASSERT_OK(log);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> expected;
  for (const ChangedDocument& each : log->documents) {
    if (each.collection != collection) continue;
    const std::uint64_t version = crdt::version_of(collection, each.id, each.document);
    truth.add(version);
    if (version != 0) expected.emplace_back(each.local_seq, version);
  }
  auto kept = store.digest(collection);
  ASSERT_OK(kept);
  EXPECT_EQ(kept->digest, truth) << "of " << collection;
  EXPECT_EQ(kept->head, log->head);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> seen;
  EXPECT_EQ(store.for_each_version(collection, [&](auto seq, auto version, auto) { seen.emplace_back(seq, version); }),
            log->head);
  EXPECT_EQ(seen, expected);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> visited;
  EXPECT_EQ(store.for_each_living(collection,
                                  [&](const LivingDocument& each) {
                                    visited.emplace_back(each.local_seq, each.version);
                                    EXPECT_EQ(each.view, store.load(collection, std::string(each.id))->view());
                                  }),
            log->head);
  EXPECT_EQ(visited, expected);
}

// Changes the closed database behind the store's back, checksums and all. Result: rows changed by the last statement.
inline int run_sql(const std::string& directory, const std::string& sql) {
  auto vfs = ChecksumVfs::around("");
  sqlite3* database = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const std::string file = directory + "/fermata.db";
  EXPECT_EQ(sqlite3_open_v2(file.c_str(), &database, flags, (*vfs)->name().c_str()), SQLITE_OK);
  register_field_functions(database);
  EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
  const int changes = sqlite3_changes(database);
  sqlite3_close(database);
  return changes;
}

// Some of the pages of one table or index of a closed database, as SQLite's dbstat names their types.
struct SomePages {
  std::string tree, type = "leaf";
  std::size_t from = 0, at_most = 1000;
};

// Changes one byte in each of them. Result: how many.
inline std::size_t damage_pages(const std::string& directory, const SomePages& which) {
  // A page of the tree says what it is in its first byte; which tree it is of, only the tree's own root leads to.
  const std::string path = directory + "/fermata.db";
  sqlite3* database = nullptr;
  std::vector<std::uint64_t> pages;
  EXPECT_EQ(sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
  sqlite3_stmt* list = nullptr;
  EXPECT_EQ(sqlite3_prepare_v2(database, "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = ? ORDER BY path", -1,
                               &list, nullptr),
            SQLITE_OK);
  sqlite3_bind_text(list, 1, which.tree.c_str(), -1, SQLITE_TRANSIENT);
  sqlite3_bind_text(list, 2, which.type.c_str(), -1, SQLITE_TRANSIENT);
  while (sqlite3_step(list) == SQLITE_ROW) pages.push_back(static_cast<std::uint64_t>(sqlite3_column_int64(list, 0)));
  sqlite3_finalize(list);
  sqlite3_close(database);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  std::size_t damaged = 0;
  for (std::size_t i = which.from; i < pages.size() && damaged < which.at_most; ++i, ++damaged) {
    file.seekp(static_cast<std::streamoff>((pages[i] - 1) * 4096 + 3000));
    file.put('!');
  }
  return damaged;
}

inline StoreOptions on_disk(const std::string& directory) {
  StoreOptions options;
  options.directory = directory;
  options.boot_id = "boot-1";
  return options;
}

inline StoreOptions in_memory(support::MemoryDisk& disk) {
  StoreOptions options;
  options.directory = "/peer";
  options.vfs = disk.vfs();
  options.boot_id = disk.boot_id();
  return options;
}

}  // namespace fermata::store
