#include "floors.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "device.hpp"

namespace fermata::bench {
namespace {

using Row = std::vector<sqlite3_value*>;

class Sqlite {
 public:
  explicit Sqlite(const std::string& path) {
    require(sqlite3_open(path.c_str(), &handle_) == SQLITE_OK, "SQLite cannot open " + path);
    // As src/store sets its writer.
    run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = "
        "-8192;");
  }
  ~Sqlite() { sqlite3_close(handle_); }
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  void run(const char* sql) {
    require(sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) == SQLITE_OK, sqlite3_errmsg(handle_));
  }
  [[nodiscard]] sqlite3_stmt* prepare(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    require(sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK, sqlite3_errmsg(handle_));
    return statement;
  }

 private:
  sqlite3* handle_ = nullptr;
};

std::vector<std::string> schema_of(Sqlite& source) {
  std::vector<std::string> statements;
  sqlite3_stmt* select = source.prepare(
      "SELECT sql FROM sqlite_master WHERE tbl_name = 'documents' AND sql IS NOT NULL ORDER BY type = 'index'");
  while (sqlite3_step(select) == SQLITE_ROW)
    statements.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(select, 0)));
  sqlite3_finalize(select);
  return statements;
}

std::vector<Row> rows_of(Sqlite& source) {
  std::vector<Row> rows;
  sqlite3_stmt* select = source.prepare("SELECT * FROM documents ORDER BY rowid");
  while (sqlite3_step(select) == SQLITE_ROW) {
    Row row;
    for (int i = 0; i < sqlite3_column_count(select); ++i)
      row.push_back(sqlite3_value_dup(sqlite3_column_value(select, i)));
    rows.push_back(std::move(row));
  }
  sqlite3_finalize(select);
  return rows;
}

double insert_all(Sqlite& target, const std::vector<Row>& rows) {
  constexpr std::size_t kRowsPerTransaction = 1000;
  std::string marks = "?";
  for (std::size_t i = 1; i < rows.front().size(); ++i) marks += ", ?";
  sqlite3_stmt* insert = target.prepare("INSERT INTO documents VALUES(" + marks + ")");
  const auto start = Clock::now();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i % kRowsPerTransaction == 0) target.run("BEGIN IMMEDIATE");
    int column = 0;
    for (const sqlite3_value* value : rows[i]) sqlite3_bind_value(insert, ++column, value);
    require(sqlite3_step(insert) == SQLITE_DONE, "SQLite did not take a row");
    sqlite3_reset(insert);
    if ((i + 1) % kRowsPerTransaction == 0 || i + 1 == rows.size()) target.run("COMMIT");
  }
  const double took = seconds_since(start);
  sqlite3_finalize(insert);
  return took;
}

sockaddr_in loopback(in_port_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = port;
  return address;
}

// Two connected sockets.
std::array<int, 2> tcp_pair() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  require(::bind(listener, raw, size) == 0 && ::listen(listener, 1) == 0, "no listening socket on loopback");
  ::getsockname(listener, raw, &size);
  const int near = ::socket(AF_INET, SOCK_STREAM, 0);
  require(::connect(near, raw, size) == 0, "no connection on loopback");
  const int far = ::accept(listener, nullptr, nullptr);
  ::close(listener);
  const int on = 1;
  for (const int fd : {near, far}) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return {near, far};
}

bool pass(int fd, std::vector<char>& buffer, bool sending) {
  for (std::size_t done = 0; done < buffer.size();) {
    const ssize_t size = sending ? ::send(fd, buffer.data() + done, buffer.size() - done, MSG_NOSIGNAL)
                                 : ::recv(fd, buffer.data() + done, buffer.size() - done, 0);
    if (size <= 0) return false;
    done += static_cast<std::size_t>(size);
  }
  return true;
}

}  // namespace

double plain_inserts_per_second(const std::string& database, double& cpu) {
  const support::TempDir directory;
  Sqlite source(database), target(directory.file("plain.db"));
  for (const std::string& statement : schema_of(source)) target.run(statement.c_str());
  std::vector<Row> rows = rows_of(source);
  require(!rows.empty(), "there are no documents to insert");
  const double before = cpu_seconds();
  const double took = insert_all(target, rows);
  cpu = cpu_seconds() - before;
  for (const Row& row : rows) {
    for (sqlite3_value* value : row) sqlite3_value_free(value);
  }
  return static_cast<double>(rows.size()) / took;
}

std::vector<double> bare_commits(std::size_t count) {
  const support::TempDir directory;
  Sqlite database(directory.file("bare.db"));
  database.run("CREATE TABLE t(id INTEGER PRIMARY KEY, body BLOB); INSERT INTO t VALUES(1, zeroblob(300));");
  sqlite3_stmt* update = database.prepare("UPDATE t SET body = randomblob(300) WHERE id = 1");
  std::vector<double> spans;
  for (std::size_t i = 0; i < count; ++i) {
    const auto start = Clock::now();
    sqlite3_step(update);
    spans.push_back(seconds_since(start));
    sqlite3_reset(update);
  }
  sqlite3_finalize(update);
  return spans;
}

std::vector<double> tcp_one_way(std::size_t count, int bytes) {
  const auto [near, far] = tcp_pair();
  std::thread echo([far = far, bytes] {
    std::vector<char> buffer(static_cast<std::size_t>(bytes));
    while (pass(far, buffer, false) && pass(far, buffer, true)) {
    }
  });
  std::vector<char> buffer(static_cast<std::size_t>(bytes));
  std::vector<double> spans;
  for (std::size_t i = 0; i < count; ++i) {
    const auto start = Clock::now();
    require(pass(near, buffer, true) && pass(near, buffer, false), "the TCP ping-pong broke off");
    spans.push_back(seconds_since(start) / 2);
  }
  ::close(near);
  echo.join();
  ::close(far);
  return spans;
}

}  // namespace fermata::bench
