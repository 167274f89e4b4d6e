// The numbers on the wire, and how parts that several messages have are written. Private to the codec.
#pragma once

#include <cstdint>

#include "base/cbor.hpp"
#include "sync/messages.hpp"

namespace fermata::sync {

enum class MessageType : std::uint64_t {
  Hello = 0,
  Subscribe = 1,
  Unsubscribe = 2,
  Changes = 3,
  Want = 4,
  Ack = 5,
  Ping = 6,
  Pong = 7,
  Goodbye = 8,
  Prune = 9,
  Graft = 10,
  Digest = 11,
  Stand = 12,
  Match = 13,
  Symbols = 14,
  Items = 15,
  Resolve = 16,
  Resolved = 17,
  Fetch = 18,
  Part = 19,
  Compressed = 20,
  Have = 21,
};

// What a CHANGES frame has only where there is something to say: pairs of key and value behind its other fields.
enum class ChangesExtra : std::uint64_t {
  AssumedEpoch = 0,
  Fingerprints = 1,
  Names = 2,
  Offers = 3,
};
inline constexpr std::size_t kHelloFields = 7;
inline constexpr std::size_t kChangesFields = 4;  // before the pairs
inline constexpr std::size_t kOfferFields = 3;    // before the authors

// Begins a message of so many fields after its type.
[[nodiscard]] CborWriter start(MessageType type, std::size_t fields);
void write_ranges(const std::vector<Range>& ranges, CborWriter& out);

// Neighbours of one collection, as [first, end): they share its name, [[collection, id, id, …], …].
[[nodiscard]] std::vector<std::pair<std::size_t, std::size_t>> groups_of(const std::vector<DocumentName>& names);

}  // namespace fermata::sync
