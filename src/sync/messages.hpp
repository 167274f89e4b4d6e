// The messages of the sync protocol and their bytes (docs/PROTOCOL.md). Pure. Encoding cannot fail; decoding trusts
// nothing and says what was wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/cbor.hpp"
#include "base/transport.hpp"
#include "crdt/document.hpp"
#include "store/store.hpp"

namespace fermata::sync {

inline constexpr std::size_t kMaxQueryText = 64u << 10;
inline constexpr std::size_t kMaxNameBytes = 256;
inline constexpr std::size_t kMaxCollectionBytes = 128;
inline constexpr std::size_t kMaxIdBytes = 512;
inline constexpr std::size_t kMaxEpochBytes = 64;
// Of one document; leaves room in a frame for what else it holds.
inline constexpr std::size_t kMaxDeltaBytes = kMaxFrame - (256u << 10);
inline constexpr std::size_t kMaxDocumentsPerFrame = 1u << 16;
inline constexpr std::size_t kMaxNamesPerFrame = 1u << 17;
inline constexpr std::size_t kMaxRangesPerFrame = 1024;
inline constexpr std::uint64_t kFirstSkippableType = 64;

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
  std::uint64_t id = 0;  // chosen by the owner, stable across its sessions
  std::string query;     // normalised text, parameters in place
  store::Epoch epoch;    // the store whose log `position` is about; empty if none
  Position position;
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

struct DocumentName {
  std::string collection;
  std::string id;
  friend bool operator==(const DocumentName&, const DocumentName&) = default;
};

struct SentDocument {
  crdt::Delta delta;
  std::optional<std::uint64_t> fingerprint;  // of the sender's whole document: "tell me if you know more"
};

struct Hello {
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
  std::vector<SentDocument> documents;
  std::vector<DocumentName> named;
};
struct Want {
  std::vector<Range> ranges;
  std::vector<DocumentName> names;
};
struct Ack {
  std::uint64_t frames = 0;  // CHANGES received on this link
  std::vector<std::pair<std::uint64_t, Position>> cursors;
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
struct Skipped {};  // of a type that this version may ignore

using Message = std::variant<Hello, Subscribe, Unsubscribe, Changes, Want, Ack, Ping, Pong, Goodbye, Skipped>;

[[nodiscard]] Bytes encode(const Hello& message);
[[nodiscard]] Bytes encode(const Subscribe& message);
[[nodiscard]] Bytes encode(const Unsubscribe& message);
[[nodiscard]] Bytes encode(const Want& message);
[[nodiscard]] Bytes encode(const Ack& message);
[[nodiscard]] Bytes encode(const Ping& message);
[[nodiscard]] Bytes encode(const Pong& message);
[[nodiscard]] Bytes encode(const Goodbye& message);

// Builds a CHANGES frame document by document, so that its size is known while it grows.
class ChangesWriter {
 public:
  // Error: LimitExceeded if it is larger than kMaxDeltaBytes; then nothing has been added.
  [[nodiscard]] Status add(const crdt::Delta& delta, std::optional<std::uint64_t> fingerprint);
  void name(const DocumentName& name);
  [[nodiscard]] std::size_t documents() const { return fingerprints_.size(); }
  [[nodiscard]] std::size_t size() const { return documents_.size() + name_bytes_; }  // bytes, about
  [[nodiscard]] bool full(std::size_t batch_bytes) const;
  [[nodiscard]] bool empty() const { return fingerprints_.empty() && names_.empty(); }
  // The whole frame. The writer is empty afterwards.
  [[nodiscard]] Bytes take(std::uint64_t head, const store::Epoch& assumed_epoch, const std::vector<Range>& ranges);

 private:
  CborWriter documents_;
  std::vector<std::optional<std::uint64_t>> fingerprints_;
  bool any_fingerprint_ = false;
  std::vector<DocumentName> names_;
  std::size_t name_bytes_ = 0;
};

// Errors: Malformed, LimitExceeded; VersionMismatch for a HELLO of another version.
[[nodiscard]] Result<Message> decode(ByteView frame);

}  // namespace fermata::sync
