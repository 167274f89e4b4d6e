// A database file that has lost pages at its end. SQLite refuses all of it, so it has to be as long as it was before
// anything in it can be saved.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.hpp"

namespace fermata::store {

struct CutFile {
  std::uint64_t bytes_left = 0, bytes_expected = 0;
};

// Nothing if the file is as long as its first page says, or that page is not what was written. Only for a file without
// a log: one that is being emptied into it may have pages that the file has not.
[[nodiscard]] std::optional<CutFile> find_cut(const std::string& file);
// Pages that come with that are zeroes, which makes them damaged ones. Errors: Io, NoSpace.
[[nodiscard]] Status set_length(const std::string& file, std::uint64_t bytes);

}  // namespace fermata::store
