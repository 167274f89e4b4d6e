#include "cli/seen_ids.hpp"

#include <sqlite3.h>

#include <string>

namespace fermata::cli {
namespace {

// One transaction without a journal: what is lost with the process is of no use without it.
constexpr const char* kSchema =
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8192;"
    "CREATE TABLE seen(id BLOB PRIMARY KEY, place INTEGER) WITHOUT ROWID; BEGIN";

}  // namespace

void SeenIds::Close::operator()(sqlite3* database) const {
  sqlite3_close(database);
}

void SeenIds::Close::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Status SeenIds::failed() const {
  const bool is_full = sqlite3_errcode(database_.get()) == SQLITE_FULL;
  return fail(is_full ? ErrorCode::NoSpace : ErrorCode::Io,
              std::string("cannot remember the ids of the file in a temporary file: ") +
                  sqlite3_errmsg(database_.get()) + "; make room in the folder for temporary files, or set TMPDIR");
}

Status SeenIds::open() {
  sqlite3* database = nullptr;
  const int opened = sqlite3_open("", &database);
  database_.reset(database);
  if (opened != SQLITE_OK || sqlite3_exec(database, kSchema, nullptr, nullptr, nullptr) != SQLITE_OK) return failed();
  sqlite3_stmt *insert = nullptr, *find = nullptr;
  const int prepared = sqlite3_prepare_v2(database, "INSERT OR IGNORE INTO seen VALUES(?, ?)", -1, &insert, nullptr);
  const int also = sqlite3_prepare_v2(database, "SELECT place FROM seen WHERE id = ?", -1, &find, nullptr);
  insert_.reset(insert);
  find_.reset(find);
  return prepared == SQLITE_OK && also == SQLITE_OK ? Status() : failed();
}

Result<std::optional<std::uint64_t>> SeenIds::add(std::string_view id, std::uint64_t place) {
  if (database_ == nullptr) {
    if (auto opened = open(); !opened) return fail(opened.error());
  }
  sqlite3_stmt* const insert = insert_.get();
  sqlite3_bind_blob64(insert, 1, id.data(), id.size(), SQLITE_STATIC);
  sqlite3_bind_int64(insert, 2, static_cast<sqlite3_int64>(place));
  const bool inserted = sqlite3_step(insert) == SQLITE_DONE;
  sqlite3_reset(insert);
  if (!inserted) return fail(failed().error());
  if (sqlite3_changes(database_.get()) == 1) return std::nullopt;

  sqlite3_stmt* const find = find_.get();
  sqlite3_bind_blob64(find, 1, id.data(), id.size(), SQLITE_STATIC);
  const bool found = sqlite3_step(find) == SQLITE_ROW;
  const auto first = static_cast<std::uint64_t>(sqlite3_column_int64(find, 0));
  sqlite3_reset(find);
  if (!found) return fail(failed().error());
  return first;
}

}  // namespace fermata::cli
