// The ids of a file's documents and where each stood first, however many they are: what a few MiB of memory do not hold
// is in a temporary file of SQLite's, which has no name and is gone with this.
#pragma once

#include <fermata/result.hpp>
#include <memory>
#include <optional>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace fermata::cli {

class SeenIds {
 public:
  // Where the id stood already; nothing if it is new, and known from now on to stand at `place`. Errors: NoSpace, Io.
  [[nodiscard]] Result<std::optional<std::uint64_t>> add(std::string_view id, std::uint64_t place);

 private:
  [[nodiscard]] Status open();
  [[nodiscard]] Status failed() const;

  struct Close {
    void operator()(sqlite3* database) const;
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3, Close> database_;  // from the first id on
  std::unique_ptr<sqlite3_stmt, Close> insert_, find_;
};

}  // namespace fermata::cli
