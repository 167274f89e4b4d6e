// The soundness of a database: everything in it, held against everything else. See fermata/check.hpp.
#pragma once

#include <fermata/check.hpp>
#include <functional>
#include <map>

#include "store/connection.hpp"
#include "store/maintenance.hpp"
#include "store/schema.hpp"

namespace fermata::store {

struct ContentRow;

struct CheckOptions {
  std::string directory;
  std::string vfs;  // as StoreOptions::vfs
  CheckMode mode = CheckMode::Report;
  Clock* clock = &system_clock();
  std::string boot_id = StoreOptions::system_boot_id();
  Progress progress;
};

[[nodiscard]] Result<CheckReport> check(const CheckOptions& options);

// The parts.

// What the other columns of a document's row must be, given its body and meta.
struct Derived {
  std::uint64_t life = 0;
  std::uint64_t version = 0;
  bool alive = false;
  std::uint64_t newest_seq = 0;     // the highest local seq that anything in it bears
  std::uint64_t newest_source = 0;  // the highest number of a source
  std::uint64_t own_seq = 0;        // the highest commit of `actor` in it
};
// Errors: as crdt::Document::decode, and Corrupt if the body is not what the metadata makes of it.
[[nodiscard]] Result<Derived> derive(std::string_view collection, std::string_view id, ByteView body, ByteView meta,
                                     crdt::ActorId actor);

// Looks through an open database.
class Checker {
 public:
  Checker(Connection& connection, CheckReport& report) : connection_(connection), report_(report) {}
  // Errors: what is not damage.
  [[nodiscard]] Status run();

 private:
  void note(std::string finding);
  // Whether it is damage, which is noted.
  [[nodiscard]] Status excuse(const Error& error, std::string_view about);
  [[nodiscard]] Status each(std::string_view about, const char* sql,
                            const std::function<void(const Statement&)>& visit);
  [[nodiscard]] Status pages();
  [[nodiscard]] Status integrity();
  [[nodiscard]] Status indexes();
  [[nodiscard]] Status state();
  [[nodiscard]] Status documents();
  [[nodiscard]] Status positions();
  [[nodiscard]] Status digests();
  [[nodiscard]] Status cursors();
  [[nodiscard]] Status full_texts();
  [[nodiscard]] Status full_text(const std::string& table, const std::string& name, std::uint64_t living);
  [[nodiscard]] Status attachments();
  void look_at(const Statement& row);
  void look_at(const ContentRow& content, const std::string& fault);

  Connection& connection_;
  CheckReport& report_;
  Identity identity_;
  std::uint64_t last_source_ = 0;
  std::map<std::uint64_t, crdt::Digest> sums_;
  bool read_all_ = true;
};

// The size of the database's pages.
[[nodiscard]] Result<int> page_bytes(Connection& connection);

// Visits each row of a query without parameters. `sql` must be a literal.
[[nodiscard]] Status each_row(Connection& connection, const char* sql,
                              const std::function<void(const Statement&)>& visit);

struct MendOptions {
  WallTime now;
  bool lost_commits = false;  // with the end of the log
};
// Makes anew what follows from the documents, and removes those that cannot be read; `reader` and `writer` are on the
// same database. Error: Corrupt if too much is damaged for that; then nothing has changed.
[[nodiscard]] Status mend(Connection& reader, Connection& writer, const MendOptions& options,
                          std::vector<std::string>& done);

}  // namespace fermata::store
