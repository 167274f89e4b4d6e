#include "plain.hpp"

#include <algorithm>

#include "measure.hpp"

namespace fermata::bench {
namespace {

void bind(sqlite3_stmt* statement, int index, const Value& value) {
  if (const auto* text = value.if_a<std::string>()) {
    sqlite3_bind_text(statement, index, text->data(), static_cast<int>(text->size()), SQLITE_STATIC);
  } else if (const auto* boolean = value.if_a<bool>()) {
    sqlite3_bind_int(statement, index, *boolean ? 1 : 0);
  } else {
    sqlite3_bind_int64(statement, index, *value.if_a<std::int64_t>());
  }
}

std::string text_of(sqlite3_stmt* row, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
  return {text == nullptr ? "" : text, static_cast<std::size_t>(sqlite3_column_bytes(row, column))};
}

// As an app takes them out. Result: something of all, so that nothing is left out as useless.
std::size_t take_columns(sqlite3_stmt* row) {
  std::size_t seen = 0;
  for (int i = 0; i < sqlite3_column_count(row); ++i) {
    const bool is_text = sqlite3_column_type(row, i) == SQLITE_TEXT;
    seen += is_text ? text_of(row, i).size() : static_cast<std::size_t>(sqlite3_column_int64(row, i));
  }
  return seen;
}

}  // namespace

Plain::Plain(const std::string& file, Layout layout, Durability durability) : layout_(layout) {
  require(sqlite3_open(file.c_str(), &handle_) == SQLITE_OK, "SQLite cannot open " + file);
  // As src/store sets its writer.
  run("PRAGMA journal_mode = WAL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192");
  run(durability == Durability::Full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
}

Plain::~Plain() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

void Plain::run(const std::string& sql) {
  require(sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK, sqlite3_errmsg(handle_));
}

sqlite3_stmt* Plain::prepare(const std::string& sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr) {
    require(sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK, sqlite3_errmsg(handle_));
  }
  return statement;
}

void Plain::finish(sqlite3_stmt* statement) {
  require(sqlite3_step(statement) == SQLITE_DONE, sqlite3_errmsg(handle_));
  sqlite3_reset(statement);
}

std::string Plain::field(const std::string& name) const {
  return has_columns() ? "\"" + name + "\"" : "json_extract(body, '$." + name + "')";
}

void Plain::create() {
  switch (layout_) {
    case Layout::Json:
      return run("CREATE TABLE items(id TEXT PRIMARY KEY, body TEXT NOT NULL)");
    case Layout::Columns:
      return run(
          "CREATE TABLE items(id TEXT PRIMARY KEY, created INTEGER, done INTEGER, \"group\" TEXT,"
          " priority INTEGER, text TEXT, title TEXT)");
    case Layout::Numbered:
      run("CREATE TABLE items(id TEXT PRIMARY KEY, body TEXT NOT NULL, number INTEGER NOT NULL);"
          "CREATE INDEX by_number ON items(number);"
          "CREATE TABLE last(number INTEGER NOT NULL); INSERT INTO last VALUES(0)");
  }
}

void Plain::begin() {
  finish(prepare("BEGIN IMMEDIATE"));
  in_batch_ = true;
}

void Plain::commit() {
  if (layout_ == Layout::Numbered) {
    sqlite3_stmt* const keep = prepare("UPDATE last SET number = ?");
    sqlite3_bind_int64(keep, 1, last_number_);
    finish(keep);
  }
  finish(prepare("COMMIT"));
  in_batch_ = false;
}

void Plain::write(sqlite3_stmt* statement) {
  const bool alone = layout_ == Layout::Numbered && !in_batch_;
  if (alone) begin();
  finish(statement);
  if (alone) commit();
}

void Plain::create_index() {
  run("CREATE INDEX by_group ON items(" + field("group") + ")");
}

void Plain::put_blob(std::size_t id, std::span<const std::uint8_t> bytes) {
  sqlite3_stmt* insert = prepare("INSERT INTO blobs(id, bytes) VALUES(?, ?)");
  sqlite3_bind_int64(insert, 1, static_cast<sqlite3_int64>(id));
  sqlite3_bind_blob(insert, 2, bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
  finish(insert);
}

std::size_t Plain::read_blob(std::size_t id, std::span<std::uint8_t> into) {
  sqlite3_stmt* select = prepare("SELECT bytes FROM blobs WHERE id = ?");
  sqlite3_bind_int64(select, 1, static_cast<sqlite3_int64>(id));
  std::size_t count = 0;
  if (sqlite3_step(select) == SQLITE_ROW) {
    const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(select, 0));
    count = std::min(into.size(), static_cast<std::size_t>(sqlite3_column_bytes(select, 0)));
    std::copy_n(bytes, count, into.begin());
  }
  sqlite3_reset(select);
  return count;
}

void Plain::insert(const std::string& id, const Map& document, const std::string& json) {
  static constexpr const char* kInserts[] = {"INSERT INTO items VALUES(?, ?)",
                                             "INSERT INTO items VALUES(?, ?, ?, ?, ?, ?, ?)",
                                             "INSERT INTO items VALUES(?, ?, ?)"};
  sqlite3_stmt* const insert = prepare(kInserts[static_cast<std::size_t>(layout_)]);
  sqlite3_bind_text(insert, 1, id.data(), static_cast<int>(id.size()), SQLITE_STATIC);
  if (has_columns()) {
    int column = 1;
    for (const auto& [name, value] : document) bind(insert, ++column, value);
  } else {
    sqlite3_bind_text(insert, 2, json.data(), static_cast<int>(json.size()), SQLITE_STATIC);
  }
  if (layout_ == Layout::Numbered) sqlite3_bind_int64(insert, 3, ++last_number_);
  write(insert);
}

void Plain::set_priority(const std::string& id, std::int64_t priority) {
  static constexpr const char* kUpdates[] = {
      "UPDATE items SET body = json_set(body, '$.priority', ?) WHERE id = ?",
      "UPDATE items SET priority = ? WHERE id = ?",
      "UPDATE items SET body = json_set(body, '$.priority', ?), number = ? WHERE id = ?"};
  sqlite3_stmt* const update = prepare(kUpdates[static_cast<std::size_t>(layout_)]);
  int parameter = 1;
  sqlite3_bind_int64(update, parameter++, priority);
  if (layout_ == Layout::Numbered) sqlite3_bind_int64(update, parameter++, ++last_number_);
  sqlite3_bind_text(update, parameter, id.data(), static_cast<int>(id.size()), SQLITE_STATIC);
  write(update);
}

std::size_t Plain::whole_rows(const std::string& condition, const Value& parameter, Reading reading) {
  sqlite3_stmt* const select = prepare("SELECT * FROM items WHERE " + condition);
  bind(select, 1, parameter);
  std::size_t count = 0, seen = 0;
  while (sqlite3_step(select) == SQLITE_ROW) {
    ++count;
    seen +=
        reading == Reading::Text ? take_columns(select) : value_of(from_json(text_of(select, 1))).if_a<Map>()->size();
  }
  require(count == 0 || seen > 0, "rows without content");
  sqlite3_reset(select);
  return count;
}

std::size_t Plain::rows(const std::string& sql) {
  sqlite3_stmt* const select = prepare(sql);
  std::size_t count = 0;
  for (; sqlite3_step(select) == SQLITE_ROW; ++count) take_columns(select);
  sqlite3_reset(select);
  return count;
}

}  // namespace fermata::bench
