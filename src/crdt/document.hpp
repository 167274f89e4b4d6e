// A document that merges. The state is a set of registers, one per path, each won by (life, stamp, actor); what people
// see (`view`) is a pure function of that set. Merge is therefore commutative, associative and idempotent by
// construction.
//
// Paths and ancestors. A register at "a" and one at "a.b" may both exist. The younger of the two decides: an older
// descendant of a younger register is void and pruned (the register replaced the whole subtree); an older ancestor with
// any younger descendant register is hidden (its value gives way to a map) and keeps only its stamp. A commit writes
// nothing that is older than what it wrote above it, so registers of one dot do not void each other. Both facts are
// monotone, so pruning commutes with merging.
//
// One commit may touch a document several times: its later writes replace its earlier ones. What such a commit ships is
// the state that it ended with; a document must not be shipped between two writes of one dot.
//
// Counters. A counter is seen as one integer, the sum of what each author counted up and down at its path, limited to
// ±(2^63 - 1). Authors who count at the same time add up. Whoever sets or unsets the field (or something above
// it) replaces the counter with all that was counted, also with what he has not heard of yet; who counts after an unset
// begins at 0. If at the same time one author makes a map of the missing field and another a counter, the map is seen.
//
// Life. Odd is alive, even is deleted. Registers of an older life than the document's are void and pruned, except that
// a tombstone keeps those of the life that it ended, so that subscriptions can still be matched against it.
//
// Pure: no I/O, no thread rule.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/cbor.hpp"
#include "crdt/stamp.hpp"

namespace fermata::crdt {

using Path = std::vector<std::string>;

// What claims a longer life does not decode. Even, so that whatever lives can be deleted; what was deleted in it cannot
// be inserted any more.
inline constexpr std::uint64_t kMaxLife = (std::uint64_t{1} << 53) - 2;

enum class RegisterKind : std::uint8_t {
  Value = 0,    // a scalar or an array
  Map = 1,      // "here is a map": an explicit {} or a replaced subtree, or a hidden value
  Absent = 2,   // unset
  Counter = 3,  // one author's share of a counter
};

// Whether registers of this kind have a value that travels with them.
[[nodiscard]] constexpr bool has_value(RegisterKind kind) {
  return kind == RegisterKind::Value || kind == RegisterKind::Counter;
}

// In one value, itself and all within it counted: what a peer can be sent in one piece. Documents are checked when they
// are written (query/document_check.hpp); more does not decode.
inline constexpr std::size_t kMaxValues = 250'000;

// Where this store got something from and when; local bookkeeping that is never sent.
struct LocalMark {
  std::uint64_t local_seq = 0;
  std::uint32_t source = 0;  // 0: written here; else the store's number for the remote it came from
  friend auto operator<=>(const LocalMark&, const LocalMark&) = default;
};

struct Register {
  Path path;
  RegisterKind kind = RegisterKind::Value;
  Value value;  // of a Value; of a Counter what its author has counted, [up, down]; else null
  Dot dot;
  Stamp stamp;
  std::uint64_t life = 1;
  LocalMark mark;
};

// Odd is alive, even is deleted. Whose registers a document of this life holds: its own, or of the life that it ended.
[[nodiscard]] constexpr std::uint64_t kept_life(std::uint64_t life) {
  return life % 2 == 1 || life == 0 ? life : life - 1;
}

// What travels: some registers of one document, and its life. `mark`s in it are ignored.
struct Delta {
  std::string collection;
  std::string id;
  std::uint64_t life = 0;
  std::vector<Register> registers;  // sorted by path
  bool whole = false;               // all registers that the document has: who knows nothing of it may take this in
};

// What a local commit writes with.
struct Commit {
  Dot dot;
  Stamp stamp;  // a register's own is greater if it must be, to replace what the author sees
  std::uint64_t local_seq = 0;
  std::uint64_t purged_life = 0;  // a document begins with an odd life above this
};

class Document {
 public:
  [[nodiscard]] bool exists() const { return life_ != 0; }
  [[nodiscard]] bool alive() const { return life_ % 2 == 1; }
  [[nodiscard]] std::uint64_t life() const { return life_; }
  [[nodiscard]] std::uint64_t kept_life() const { return crdt::kept_life(life_); }
  [[nodiscard]] const LocalMark& life_mark() const { return life_mark_; }
  [[nodiscard]] const std::vector<Register>& registers() const { return registers_; }

  // What people see, without "_id". For a tombstone: what it last looked like, for routing only.
  [[nodiscard]] Map view() const;

  // Where counters are seen.
  [[nodiscard]] std::vector<Path> counters() const;

  // The greatest stamp in the document.
  [[nodiscard]] Stamp newest_stamp() const;

  // Brings a dead or unknown document to life with these fields: one register per leaf, so that concurrent inserts
  // merge field by field. Errors: AlreadyExists if alive, LimitExceeded deeper than kMaxDepth (the document itself is
  // the first level) or at kMaxLife. On any error of this and the following calls nothing has changed.
  [[nodiscard]] Status insert(const Map& fields, const Commit& commit);
  // Replaces what is at the path, subtree and all: one register, or for a map one Map register and one per leaf below.
  // Errors: NotFound if not alive, InvalidArgument for the empty path and below a counter, LimitExceeded deeper than
  // kMaxDepth or where the last possible stamp stands.
  [[nodiscard]] Status set(const Path& path, const Value& value, const Commit& commit);
  // Counts at the path; `amount` may be negative. A missing field begins at 0, which an amount of 0 makes visible. An
  // author's ups, and his downs, stand still at the greatest int64. Errors: NotFound if not alive; InvalidArgument for
  // the empty path, where another value stands, and below a counter; LimitExceeded as set().
  [[nodiscard]] Status increment(const Path& path, std::int64_t amount, const Commit& commit);
  // Takes away what is at the path; where nothing is seen, nothing is written. Errors: as set().
  [[nodiscard]] Status unset(const Path& path, const Commit& commit);
  // Deletes. Error: NotFound if not alive.
  [[nodiscard]] Status remove(const Commit& commit);

  // Takes in what a remote knows. Everything that changed here gets `mark`. Result: whether anything changed.
  // The registers must be sorted by path. Never fails: a Delta that decoded is mergeable. Registers with a life above
  // delta.life raise the document's life.
  // The second takes registers out of the delta; if it returns false, it took none.
  bool merge(const Delta& delta, const LocalMark& mark) { return merge(Delta(delta), mark); }
  bool merge(Delta&& delta, const LocalMark& mark);

  // Everything with a local seq above `since` that did not come from `except_source` (0: no exception).
  // Delta.life is always the document's life. Nothing if neither a register nor the life qualifies.
  [[nodiscard]] std::optional<Delta> delta_since(std::uint64_t since, std::uint32_t except_source) const;

  // Order-independent 64-bit fingerprint of (life, and each register's path, dot, stamp, life). Equal states have equal
  // ones, however they came about; hidden values do not count. Local marks do not count. XXH3-64 of the life, then for
  // each register by path: how many names, the names, actor, seq, stamp, life. A number is eight bytes, the lowest
  // first; a text is its length and its bytes.
  [[nodiscard]] std::uint64_t fingerprint() const;

  // The two columns of a stored row. `metadata` holds no value that `body` shows. decode() trusts nothing. Errors:
  // Malformed, LimitExceeded, VersionMismatch (a newer format), Corrupt (the two contradict each other).
  [[nodiscard]] Bytes encode_body() const;      // CBOR of view()
  [[nodiscard]] Bytes encode_metadata() const;  // registers without visible values, life, marks; versioned
  [[nodiscard]] static Result<Document> decode(ByteView body, ByteView metadata);

 private:
  bool raise_life(std::uint64_t life, const LocalMark& mark);
  bool merge_one(Register& theirs, const LocalMark& mark);
  bool merge_all(std::vector<Register>& theirs, const LocalMark& mark);
  [[nodiscard]] bool has_younger_ancestor(const Register& r) const;
  void hide_ancestors(const Path& path);
  [[nodiscard]] Result<Register> model_for(const Path& path, const Commit& commit) const;
  [[nodiscard]] std::span<const Register> below(const Path& path) const;
  [[nodiscard]] bool stands_below_counter(const Path& path) const;
  [[nodiscard]] Status check_countable(const Path& path) const;
  [[nodiscard]] Result<Stamp> beginning_of(const Path& path) const;
  void replace_subtree(const Path& path, std::vector<Register> fresh);

  std::uint64_t life_ = 0;
  LocalMark life_mark_;
  // Sorted by path, no two equal, all of the kept life, none older than a register above it; values only where nothing
  // stands below.
  std::vector<Register> registers_;
};

}  // namespace fermata::crdt
