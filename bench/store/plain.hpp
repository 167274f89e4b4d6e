// Plain SQLite with the same documents and settings, as the floor of the same run: what an app would have without us.
#pragma once

#include <sqlite3.h>
#include <fermata/maintenance.hpp>
#include <fermata/value.hpp>
#include <map>
#include <span>
#include <string>

namespace fermata::bench {

enum class Layout {
  Json,     // the document as JSON text, its fields by json_extract(): what needs no schema either
  Columns,  // a column for each field: the bound that nothing without a schema reaches
  // As Json, and each change of a row takes the next number, by an index on which the changes since any number are
  // found: the least that an app needs which syncs by itself.
  Numbered,
};
// What the app holds that the text is made of: the text, or values, which ours is given.
enum class Holding { Text, Values };
// What becomes of a row's text once it has been read.
enum class Reading {
  Text,    // copied
  Values,  // parsed, so that the app has values, as a result of ours has them
};

// A table items(id TEXT PRIMARY KEY, …) in a file; one thread.
class Plain {
 public:
  Plain(const std::string& file, Layout layout, Durability durability);
  ~Plain();
  Plain(const Plain&) = delete;

  // Columns as sample_document() has them.
  void create();
  void create_index();  // on "group"
  // Around several writes; each other one is a transaction of its own.
  void begin();
  void commit();
  void checkpoint() { run("PRAGMA wal_checkpoint(TRUNCATE)"); }
  // A table of its own.
  void create_blobs() { run("CREATE TABLE blobs(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)"); }
  void put_blob(std::size_t id, std::span<const std::uint8_t> bytes);
  std::size_t read_blob(std::size_t id, std::span<std::uint8_t> into);  // how many bytes
  void insert(const std::string& id, const Map& document, const std::string& json);
  void set_priority(const std::string& id, std::int64_t priority);
  // Result: how many rows.
  std::size_t whole_rows(const std::string& condition, const Value& parameter, Reading reading = Reading::Text);
  std::size_t rows(const std::string& sql);
  // How the layout writes a field.
  [[nodiscard]] std::string field(const std::string& name) const;

 private:
  void run(const std::string& sql);
  sqlite3_stmt* prepare(const std::string& sql);
  void finish(sqlite3_stmt* statement);
  // In a transaction that also keeps the last number, if there are numbers.
  void write(sqlite3_stmt* statement);
  [[nodiscard]] bool has_columns() const { return layout_ == Layout::Columns; }

  Layout layout_;
  sqlite3* handle_ = nullptr;
  bool in_batch_ = false;
  std::int64_t last_number_ = 0;
  std::map<std::string, sqlite3_stmt*> statements_;
};

}  // namespace fermata::bench
