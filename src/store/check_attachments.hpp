// What a check and a repair look at in the tables of attachments, one content at a time, a chunk of it in memory.
#pragma once

#include <string>

#include "store/attachments_impl.hpp"
#include "store/connection.hpp"

namespace fermata::store {

// A row of `attachments`, believed in nothing.
struct ContentRow {
  std::uint64_t id = 0;
  Bytes hash;  // empty: nobody can name it
  std::uint64_t size_bytes = 0, stored_bytes = 0, touched_ms = 0;
  bool is_complete = false;
};

inline constexpr const char* kSelectContents =
    "SELECT id, hash, size, stored, complete, touched FROM attachments NOT INDEXED";
[[nodiscard]] ContentRow content_in(const Statement& row);  // of these columns
[[nodiscard]] std::string name_of(const ContentRow& content);

// What is wrong with it, empty if nothing is: whether its chunks are there, as many and as long as it says, and if it
// is complete are what its hash names. One that nobody can name is nobody's, and right as it is. Errors: what is no
// damage.
[[nodiscard]] Result<std::string> fault_of(Connection& connection, const ContentRow& content);

// Chunks that belong to no attachment. Errors: also Corrupt.
[[nodiscard]] Result<std::uint64_t> count_orphaned_chunks(Connection& connection);

}  // namespace fermata::store
