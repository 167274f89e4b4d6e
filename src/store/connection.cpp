#include "store/connection.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>

#include "store/field_functions.hpp"

namespace fermata::store {

namespace {

// Nobody else uses our files, but a connection that opens takes brief locks against the others.
constexpr int kBusyTimeoutMs = 5000;

// So many statements of apps are kept prepared on each connection: some 5 KB each.
constexpr std::size_t kMaxTexts = 128;

ErrorCode code_of(int code, int system_errno) {
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_TOOBIG:  // only merging makes a document so large, and that is not the fault of who sent the last bit
      return ErrorCode::NoSpace;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return ErrorCode::Corrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::Busy;
    case SQLITE_IOERR:
      if (code == SQLITE_IOERR_DATA || code == SQLITE_IOERR_CORRUPTFS) {
        return ErrorCode::Corrupt;
      }
      [[fallthrough]];
    default:
      return system_errno == ENOSPC || system_errno == EDQUOT ? ErrorCode::NoSpace : ErrorCode::Io;
  }
}

const char* damage(int code, const char* detail) {
  switch (code) {
    case SQLITE_IOERR_DATA:
      return "a page of its file is not what was written";
    case SQLITE_IOERR_CORRUPTFS:
      return "a part of its file is missing";
    default:
      return detail;
  }
}

Error make_error(int code, int system_errno, const char* detail, const std::string& owner) {
  const ErrorCode kind = code_of(code, system_errno);
  switch (kind) {
    case ErrorCode::NoSpace:
      if (code == SQLITE_TOOBIG) {
        return {kind, fmt::format("{}: a document is too large to store; delete it", owner)};
      }
      return {kind, fmt::format("{}: no space left on the disk, nothing was written; free some and try again", owner)};
    case ErrorCode::Corrupt:
      if (code == SQLITE_NOTADB) {
        return {kind, fmt::format("{} is not a Fermata database: SQLite cannot use its fermata.db ({}); check the "
                                  "path, or restore a copy",
                                  owner, detail)};
      }
      return {kind, fmt::format("{}: the database is damaged ({}){}", owner, damage(code, detail), kAfterDamage)};
    case ErrorCode::Busy:
      return {kind, fmt::format("{}: another program has the database open; close it and try again", owner)};
    default:
      if (code == SQLITE_NOMEM || code == SQLITE_IOERR_NOMEM) {
        return {kind, fmt::format("{}: out of memory; free some and try again", owner)};
      }
      return {kind, fmt::format("{}: {} (SQLite error {}); check the disk and its permissions", owner, detail, code)};
  }
}

std::string immutable_uri(const std::string& file) {
  std::string uri = "file:";
  for (const char c : file) {
    if (c == '%' || c == '?' || c == '#') {
      uri += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : connection_(other.connection_), statement_(other.statement_), bind_failure_(other.bind_failure_) {
  other.statement_ = nullptr;
}

Statement::~Statement() {
  if (statement_ != nullptr) {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
}

Statement& Statement::bind(int index, std::uint64_t number) {
  bind_failure_ |= sqlite3_bind_int64(statement_, index, static_cast<sqlite3_int64>(number));
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  bind_failure_ |= sqlite3_bind_text64(statement_, index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_blob(int index, ByteView bytes) {
  bind_failure_ |= sqlite3_bind_blob64(statement_, index, bytes.data(), bytes.size(), SQLITE_STATIC);
  return *this;
}

Result<bool> Statement::step() {
  if (bind_failure_ != SQLITE_OK) {
    return fail(connection_->error(SQLITE_TOOBIG));
  }
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW || code == SQLITE_DONE) {
    return code == SQLITE_ROW;
  }
  return fail(connection_->error(code));
}

Status Statement::run() {
  if (auto stepped = step(); !stepped) {
    return fail(std::move(stepped).error());
  }
  return {};
}

std::uint64_t Statement::number(int column) const {
  return static_cast<std::uint64_t>(sqlite3_column_int64(statement_, column));
}

std::string Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return data == nullptr ? std::string()
                         : std::string(data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

ByteView Statement::blob(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
  return {data, data == nullptr ? 0 : static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Result<std::unique_ptr<Connection>> Connection::open(const std::string& file, const std::string& vfs, OpenMode mode,
                                                     const std::string& owner) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const bool reads = mode == OpenMode::ReadOnly || mode == OpenMode::Immutable;
  flags |= reads ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  flags |= mode == OpenMode::Immutable ? SQLITE_OPEN_URI : 0;
  flags |= mode == OpenMode::Create ? SQLITE_OPEN_CREATE : 0;
  sqlite3* handle = nullptr;
  const std::string name = mode == OpenMode::Immutable ? immutable_uri(file) : file;
  const int code = sqlite3_open_v2(name.c_str(), &handle, flags, vfs.empty() ? nullptr : vfs.c_str());
  if (code != SQLITE_OK) {
    const int system_errno = handle == nullptr ? 0 : sqlite3_system_errno(handle);
    Error error = make_error(code, system_errno, handle == nullptr ? "out of memory" : sqlite3_errmsg(handle), owner);
    sqlite3_close(handle);
    return fail(std::move(error));
  }
  register_field_functions(handle);
  std::unique_ptr<Connection> connection(new Connection(handle, owner));
  connection->wait_for_locks();
  return connection;
}

Connection::~Connection() {
  for (const auto& [sql, statement] : statements_) {
    sqlite3_finalize(statement);
  }
  for (const auto& [sql, statement] : texts_) {
    sqlite3_finalize(statement);
  }
  if (sqlite3_close(handle_) == SQLITE_OK) {
    return;
  }
  // A reader's guest forgot to finalise one, which would leave the file and its locks open. Those of full-text tables
  // are gone by now: they are not ours to finalise.
  while (sqlite3_stmt* statement = sqlite3_next_stmt(handle_, nullptr)) {
    sqlite3_finalize(statement);
  }
  sqlite3_close(handle_);
}

Result<Statement> Connection::prepare(const char* sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr) {
    const int code = sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) {
      return fail(error(code));
    }
  }
  return Statement(*this, statement);
}

Result<Statement> Connection::prepare_text(const std::string& sql) {
  if (const auto known = texts_.find(sql); known != texts_.end()) {
    return Statement(*this, known->second);
  }
  if (texts_.size() >= kMaxTexts) {
    forget_texts();
  }
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(handle_, sql.c_str(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) {
    return fail(error(code));
  }
  texts_.emplace(sql, statement);
  return Statement(*this, statement);
}

void Connection::forget_texts() {
  for (auto entry = texts_.begin(); entry != texts_.end();) {
    if (sqlite3_stmt_busy(entry->second) != 0) {
      ++entry;
      continue;
    }
    sqlite3_finalize(entry->second);
    entry = texts_.erase(entry);
  }
}

Status Connection::run(const char* sql) {
  auto statement = prepare(sql);
  return statement ? statement->run() : fail(std::move(statement).error());
}

Status Connection::transact(const std::function<Status()>& change) {
  Status done = run("BEGIN IMMEDIATE").and_then(change).and_then([&] { return run("COMMIT"); });
  if (!done) {
    roll_back();
  }
  return done;
}

// Some errors, a full disk among them, have done it already.
void Connection::roll_back() {
  if (sqlite3_get_autocommit(handle_) == 0) {
    static_cast<void>(execute("ROLLBACK"));
  }
}

Status Connection::execute(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? Status() : fail(error(code));
}

Result<std::string> Connection::ask(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr);
  if (code != SQLITE_OK) {
    return fail(error(code));
  }
  std::string answer;
  code = sqlite3_step(statement);
  if (code == SQLITE_ROW) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    answer = text == nullptr ? "" : text;
    // A number that could not be turned into text, which must not pass for an empty one.
    if (text == nullptr && sqlite3_errcode(handle_) == SQLITE_NOMEM) code = SQLITE_NOMEM;
  }
  Error failure;
  const bool ok = code == SQLITE_ROW || code == SQLITE_DONE;
  if (!ok) {
    failure = error(code);
  }
  sqlite3_finalize(statement);
  return ok ? Result<std::string>(std::move(answer)) : fail(std::move(failure));
}

void Connection::wait_for_locks() {
  sqlite3_busy_timeout(handle_, kBusyTimeoutMs);
}

bool Connection::is_writing() const {
  return sqlite3_txn_state(handle_, "main") == SQLITE_TXN_WRITE;
}

Result<std::uint64_t> Connection::collection_number(std::string_view name) {
  if (const auto known = collection_numbers_.find(name); known != collection_numbers_.end()) {
    return known->second;
  }
  auto select = prepare("SELECT id FROM collections WHERE name = ?");
  if (!select) {
    return fail(std::move(select).error());
  }
  auto found = select->bind(1, name).step();
  if (!found) {
    return fail(std::move(found).error());
  }
  return *found ? collection_numbers_.emplace(name, select->number(0)).first->second : 0;
}

std::uint64_t Connection::last_rowid() const {
  return static_cast<std::uint64_t>(sqlite3_last_insert_rowid(handle_));
}

void Connection::reset_statements() {
  for (sqlite3_stmt* s = sqlite3_next_stmt(handle_, nullptr); s != nullptr; s = sqlite3_next_stmt(handle_, s)) {
    if (sqlite3_stmt_busy(s) != 0) {
      sqlite3_reset(s);
    }
  }
}

void Connection::keep_log(bool keep) {
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep ? 1 : 0, nullptr);
}

Error Connection::error(int code) const {
  return make_error(code, sqlite3_system_errno(handle_), sqlite3_errmsg(handle_), owner_);
}

}  // namespace fermata::store
