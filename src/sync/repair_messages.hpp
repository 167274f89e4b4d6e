// The messages by which two peers find out whether they hold the same documents, and what one of them lacks
// (docs/PROTOCOL.md, "Reconciliation"). All are about one subscription: its *owner* wants the documents, its *feeder*
// has them. `run` is a number that the owner draws for one reconciliation; it is also the salt of its coded symbols.
// Pure. Encoding cannot fail.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "crdt/digest.hpp"
#include "store/store.hpp"

namespace fermata::sync {

// Items that the owner lacks, in one RESOLVE, and documents that it asks about.
inline constexpr std::size_t kMaxHashesPerFrame = 1u << 14;
inline constexpr std::size_t kMaxSurplusPerFrame = 1u << 12;
inline constexpr std::size_t kSymbolsPerFrame = 1u << 12;
inline constexpr std::size_t kItemsPerFrame = 1u << 14;
// What the feeder lists and the owner lacks is kept until it has been asked for; how many it has is its own word.
inline constexpr std::size_t kMaxMissing = std::size_t{1} << 24;

// From the feeder, when it believes that both hold the same: here is what I have.
struct DigestOf {
  std::uint64_t subscription = 0;
  std::uint64_t head = 0;      // of the feeder's log
  std::uint64_t received = 0;  // of the owner's log
  crdt::Digest digest;
  store::KnownCommits known;  // of the collection's commits, if the feeder holds all of the collection; else none
};

// From the feeder: the cursor of this subscription is of no use here, so nothing is sent until MATCH says how to go on.
struct Stand {
  std::uint64_t subscription = 0;
  bool behind = false;  // deletions may have been missed; nothing of the owner's in this collection is taken in either
  std::uint64_t head = 0;
  std::uint64_t collection_size = 0;   // living documents
  std::optional<crdt::Digest> digest;  // of those that match, if it is known without looking at each
};

// From the owner: how to go on.
struct Match {
  enum class How : std::uint8_t {
    Equal = 0,    // we hold just what STAND's digest says: go on from its head
    Walk = 1,     // send everything
    Symbols = 2,  // send so many coded symbols from number `from` on
    Items = 3,    // send so many items above `from`
    Done = 4,     // we have all that you had: go on from the run's head
  };
  std::uint64_t subscription = 0;
  std::uint64_t run = 0;
  How how = How::Equal;
  std::uint64_t from = 0;
  std::uint64_t count = 0;
};

// What every answer of a run begins with: the feeder's set when the run began.
struct RunHead {
  std::uint64_t subscription = 0;
  std::uint64_t run = 0;
  std::uint64_t head = 0;
  crdt::Digest digest;
};

struct Symbols {
  RunHead of;
  std::uint64_t first = 0;
  Bytes packed;
};

struct Items {
  RunHead of;
  std::uint64_t above = 0;
  std::uint64_t up_to = 0;  // all there are in (above, up_to]; the largest number when there are no more
  Bytes packed;
};

// From the owner: send me these, and what you know of those.
struct Resolve {
  std::uint64_t subscription = 0;
  std::uint64_t run = 0;
  std::vector<std::uint64_t> items;  // ascending
  std::vector<std::string> ids;
};

// From the feeder, behind the documents that a RESOLVE asked for.
struct Resolved {
  std::uint64_t subscription = 0;
  std::uint64_t run = 0;
  std::vector<std::uint64_t> unknown;  // places in the list of ids: of these it has no trace
};

[[nodiscard]] Bytes encode(const DigestOf& message);
[[nodiscard]] Bytes encode(const Stand& message);
[[nodiscard]] Bytes encode(const Match& message);
[[nodiscard]] Bytes encode(const Symbols& message);
[[nodiscard]] Bytes encode(const Items& message);
[[nodiscard]] Bytes encode(const Resolve& message);
[[nodiscard]] Bytes encode(const Resolved& message);

}  // namespace fermata::sync
