// The messages of the sync protocol and the bytes of those that stand alone (docs/PROTOCOL.md); CHANGES is built by
// ChangesWriter, all are read by MessageReader. Pure. Encoding cannot fail.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "crdt/document.hpp"
#include "store/store.hpp"
#include "sync/attachment_messages.hpp"
#include "sync/limits.hpp"
#include "sync/repair_messages.hpp"

namespace fermata::sync {

inline constexpr std::uint64_t kFirstSkippableType = 64;

// The versions of the protocol that somebody speaks.
struct VersionSpan {
  std::uint64_t lowest = 0;
  std::uint64_t highest = 0;
};
inline constexpr VersionSpan kSpoken{2, 2};

// What a peer can read beyond what its version demands; bits, unknown ones are ignored.
enum class Capability : std::uint64_t { Zstd = 1, Attachments = 2 };

// How far a subscription has been received from one store's log. Every change up to `base` has been received. Of
// the documents whose latest change lies in (base, seq], that change and all since `base` have been received too; what
// such a document's *earlier* changes were does not matter, because they travel with its latest one. base == seq
// when nothing is left behind.
struct Position {
  std::uint64_t base = 0;
  std::uint64_t seq = 0;
  friend bool operator==(const Position&, const Position&) = default;
};

// One subscription as its owner states it.
struct Wanted {
  std::uint64_t id = 0;  // chosen by the owner, stable across sessions until it ends
  std::string query;     // normalised text, parameters in place
  store::Epoch epoch;    // the store whose log `position` is about; empty if none
  Position position;
  std::uint64_t held = 0;         // living documents of the collection that the owner has, about; 0: none
  bool brought = false;           // another peer is bringing it what it lacks: until it is level, offers will do
  std::uint64_t purged_life = 0;  // the highest of any tombstone in the collection that the owner knows to be forgotten
};

// The sender vouches: with the documents of this frame (and the answers to a WANT about its names), the subscription
// is received from `from` to `to`. `complete`: nothing was behind `to` when the sender looked.
struct Range {
  std::uint64_t subscription = 0;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  bool complete = false;
  friend bool operator==(const Range&, const Range&) = default;
};

// A complete range of several subscriptions. In live traffic every frame vouches for the same ones: all of those frames
// share one list, so that it is known by its address.
struct CommonRange {
  std::shared_ptr<const std::vector<std::uint64_t>> subscriptions;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};
[[nodiscard]] std::vector<Range> ranges_of(const CommonRange& common);

struct DocumentName {
  std::string collection;
  std::string id;
  friend auto operator<=>(const DocumentName&, const DocumentName&) = default;
};

struct SentDocument {
  crdt::Delta delta;
  std::optional<std::uint64_t> fingerprint;  // of the sender's whole document: "tell me if you know more"
};

// Instead of a document: the state that it has at the sender, and who wrote what would have been sent.
struct Offer {
  std::string collection;
  std::string id;
  std::uint64_t version = 0;  // crdt::version_of
  std::vector<crdt::ActorId> authors;
};

// Changes by one author on their way to one subscription of the receiver of those changes.
struct Branch {
  std::uint64_t subscription = 0;
  crdt::ActorId actor = 0;
  friend auto operator<=>(const Branch&, const Branch&) = default;
};

struct Hello {
  VersionSpan versions = kSpoken;
  std::uint64_t capabilities = 0;
  store::Epoch epoch;
  std::string name;
  std::uint64_t head = 0;
  std::vector<Wanted> subscriptions;
};
struct Subscribe {
  Wanted subscription;
};
struct Unsubscribe {
  std::uint64_t id = 0;
};
struct Changes {
  std::uint64_t head = 0;
  store::Epoch assumed_epoch;  // not empty: sent before your HELLO, for the store you had last time
  std::vector<Range> ranges;
  std::optional<CommonRange> again;  // instead of ranges
  std::vector<SentDocument> documents;
  std::vector<DocumentName> named;
  std::vector<Offer> offers;

  // Makes ranges of what `again` says.
  void spell_out();
};
struct Want {
  std::vector<Range> ranges;
  std::vector<DocumentName> names;
};
struct Ack {
  std::uint64_t frames = 0;  // CHANGES received on this link
  std::vector<std::pair<std::uint64_t, Position>> cursors;
  std::optional<std::uint64_t> level;  // instead of cursors: all subscriptions have been received completely up to here
};
struct Ping {
  std::uint64_t nonce = 0;
};
struct Pong {
  std::uint64_t nonce = 0;
};
struct Goodbye {
  std::string reason;
  std::optional<std::uint64_t> expected_return_ms;
};
// "This came to me another way": offer it from now on.
struct Prune {
  std::vector<Branch> branches;
};
// "This did not come another way": push it from now on.
struct Graft {
  std::vector<Branch> branches;
};
struct Skipped {};  // of a type that this version may ignore

using Message = std::variant<Hello, Subscribe, Unsubscribe, Changes, Want, Ack, Ping, Pong, Goodbye, Prune, Graft,
                             DigestOf, Stand, Match, Symbols, Items, Resolve, Resolved, Fetch, Part, Have, Skipped>;

// Wraps what Compressor made of a whole message of `size` bytes.
[[nodiscard]] Bytes encode_compressed(ByteView packed, std::size_t size);
[[nodiscard]] Bytes encode(const Hello& message);
[[nodiscard]] Bytes encode(const Subscribe& message);
[[nodiscard]] Bytes encode(const Unsubscribe& message);
[[nodiscard]] Bytes encode(const Want& message);
// As many as it takes for kMaxNamesPerFrame. They are answered in order, so the last carries the ranges.
[[nodiscard]] std::vector<Bytes> encode_in_parts(Want message);
[[nodiscard]] Bytes encode(const Ack& message);
[[nodiscard]] Bytes encode(const Ping& message);
[[nodiscard]] Bytes encode(const Pong& message);
[[nodiscard]] Bytes encode(const Goodbye& message);
[[nodiscard]] Bytes encode(const Prune& message);
[[nodiscard]] Bytes encode(const Graft& message);

}  // namespace fermata::sync
