// One SQLite connection with its prepared statements, and SQLite's errors as ours. One thread at a time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/bytes.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace fermata::store {

class Connection;

// A prepared statement for one use; reset, and its bindings cleared, with the object, so that it holds no lock longer.
// Binding cannot fail but by memory or size, which the next step reports.
class Statement {
 public:
  Statement(Connection& connection, sqlite3_stmt* statement) : connection_(&connection), statement_(statement) {}
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement(const Statement&) = delete;

  Statement& bind(int index, std::uint64_t number);      // kept as the int64 of the same bits
  Statement& bind(int index, std::string_view text);     // must outlive the steps
  Statement& bind_blob(int index, ByteView bytes);       // must outlive the steps
  [[nodiscard]] Result<bool> step();                     // whether there is a row
  [[nodiscard]] Status run();                            // for statements without rows
  [[nodiscard]] std::uint64_t number(int column) const;  // of the row stepped to
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] ByteView blob(int column) const;  // valid until the next step
  // For bindings of other kinds; belongs to this object.
  [[nodiscard]] sqlite3_stmt* handle() const { return statement_; }

 private:
  Connection* connection_;
  sqlite3_stmt* statement_;
  int bind_failure_ = 0;
};

// Immutable: reads without a log and without any lock, as long as nobody writes.
enum class OpenMode { Create, Existing, ReadOnly, Immutable };

// How what Corrupt says of the database ends.
inline constexpr std::string_view kAfterDamage =
    "; repair it with fermata check, restore a copy, or sync into a new directory";

class Connection {
 public:
  // `owner` names the database in messages. Errors: NotFound (nothing there, unless Create), Io, NoSpace.
  [[nodiscard]] static Result<std::unique_ptr<Connection>> open(const std::string& file, const std::string& vfs,
                                                                OpenMode mode, const std::string& owner);
  ~Connection();
  Connection(const Connection&) = delete;

  [[nodiscard]] sqlite3* handle() const { return handle_; }
  operator sqlite3*() const { return handle_; }  // for code that speaks to SQLite itself
  // `sql` must be a literal: statements are kept by its address.
  [[nodiscard]] Result<Statement> prepare(const char* sql);
  // Of any text, kept while there is room for it. Not for two statements of one text that run at the same time.
  [[nodiscard]] Result<Statement> prepare_text(const std::string& sql);
  // One statement without parameters or rows, which stays prepared; a literal too.
  [[nodiscard]] Status run(const char* sql);
  // `change` as one transaction that writes, rolled back if it or the commit fails. Not inside of another.
  [[nodiscard]] Status transact(const std::function<Status()>& change);
  [[nodiscard]] Status execute(const char* sql);                  // any number of statements, no parameters
  [[nodiscard]] Result<std::string> ask(const std::string& sql);  // the first column of the first row, as text
  void roll_back();                                               // what is not committed, if there is a transaction
  [[nodiscard]] bool is_writing() const;                          // in a transaction that began as one
  // The number of a collection, 0 if there is none. Numbers stay as they are, so those found are kept; who rolls back a
  // transaction that made a collection forgets them.
  [[nodiscard]] Result<std::uint64_t> collection_number(std::string_view name);
  void forget_collections() { collection_numbers_.clear(); }
  // From now on waits a while for the locks of other connections, as it does after opening.
  void wait_for_locks();
  [[nodiscard]] std::uint64_t last_rowid() const;
  // Whether the last connection to close leaves the log as it is, instead of emptying it into the file.
  void keep_log(bool keep);
  // Resets what a caller left running, so that its snapshot and locks end.
  void reset_statements();
  [[nodiscard]] Error error(int code) const;

 private:
  Connection(sqlite3* handle, std::string owner) : handle_(handle), owner_(std::move(owner)) {}

  void forget_texts();

  sqlite3* handle_;
  std::string owner_;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
  std::unordered_map<std::string, sqlite3_stmt*> texts_;
  std::map<std::string, std::uint64_t, std::less<>> collection_numbers_;
};

}  // namespace fermata::store
