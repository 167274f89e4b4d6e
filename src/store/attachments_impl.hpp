// What the two halves of Attachments share, and those who check and mend its tables. Private to store/.
#pragma once

#include <algorithm>

#include "store/attachments.hpp"

namespace fermata::store {

inline constexpr unsigned kChunkBits = 31;  // of a chunk's row: its number; above them: its attachment

// The row of the chunk that has the byte at `offset`.
[[nodiscard]] constexpr std::uint64_t chunk_row(std::uint64_t id, std::uint64_t offset) {
  return id << kChunkBits | offset / kChunkBytes;
}
// How many bytes of an attachment of which `stored_bytes` are here belong into the chunk that begins at `offset`.
[[nodiscard]] constexpr std::uint64_t chunk_bytes(std::uint64_t stored_bytes, std::uint64_t offset) {
  return std::min<std::uint64_t>(stored_bytes - offset, kChunkBytes);
}

// How many use each attachment. Outlives the store if a user does.
struct Attachments::Pins {
  std::mutex mutex;
  std::map<std::uint64_t, std::size_t> users;
};

// The hashes of the attachments in a document's body, and perhaps of what merely looks like one, in bytes or text.
[[nodiscard]] std::vector<ContentHash> names_in(ByteView body);

// They have their grace from now on, should no document name them any more. Within a transaction, like the next two.
[[nodiscard]] Status touch(Connection& connection, const std::set<ContentHash>& hashes, std::uint64_t now_ms);

[[nodiscard]] Status create_attachments(Connection& connection);

// Nobody finds it from now on, and a collection goes on with it if we are interrupted.
[[nodiscard]] Status make_invisible(Connection& connection, std::uint64_t id);

}  // namespace fermata::store
