// What the model knows of the world: a plain value, small enough to keep millions of.
#pragma once

#include <array>
#include <cstdint>

namespace fermata::model {

using Seq = std::uint8_t;
using CommitId = std::uint8_t;  // 1…; a later commit has the higher stamp; 0: none
using PeerSet = std::uint8_t;
using Index = std::size_t;  // of a peer or a document

inline constexpr Index kMaxPeers = 4;
inline constexpr Index kDocuments = 2;
inline constexpr Index kFields = 2;
inline constexpr Index kMaxCommits = 7;

// The two queries: SELECT * FROM c, and SELECT * FROM c WHERE shown.
enum Query : std::uint8_t { kWhole = 0, kShown = 1, kQueries = 2 };
enum Field : std::uint8_t { kShownField = 0, kText = 1 };

struct Commit {
  std::uint8_t life = 0;
  bool shown = false;  // the value, if it wrote that field
  friend bool operator==(const Commit&, const Commit&) = default;
};

// Local bookkeeping of one register or life: where in our log, and from whom (0: ourselves, else peer + 1).
struct Mark {
  Seq seq = 0;
  std::uint8_t source = 0;
  friend bool operator==(const Mark&, const Mark&) = default;
};

struct Register {
  CommitId commit = 0;
  Mark mark;
  friend bool operator==(const Register&, const Register&) = default;
};

struct Document {
  std::uint8_t life = 0;  // 0: no row
  CommitId birth = 0;     // the commit that began this life (of a tombstone: the life it ended)
  Mark life_mark;
  std::array<Register, kFields> fields{};
  bool keep = false;  // never purged here: an earlier life of it began with a commit that is not known

  [[nodiscard]] bool exists() const { return life != 0; }
  [[nodiscard]] bool alive() const { return life % 2 == 1; }
  [[nodiscard]] std::uint8_t kept_life() const { return alive() || life == 0 ? life : std::uint8_t(life - 1); }
  [[nodiscard]] Seq seq() const;
  [[nodiscard]] bool same_content(const Document& other) const;
  friend bool operator==(const Document&, const Document&) = default;
};

// How far a remote's log has been received for one query: docs/PROTOCOL.md, "position".
struct Position {
  Seq base = 0, seq = 0;
  [[nodiscard]] bool complete() const { return base == seq; }
  friend bool operator==(const Position&, const Position&) = default;
};

struct Peer {
  std::array<Document, kDocuments> documents{};
  std::array<std::array<Position, kQueries>, kMaxPeers> cursors{};  // in the remote's log
  std::array<Seq, kMaxPeers> confirmed{};  // of our log: the remote has corrected whatever it knew better
  Seq head = 0;
  Seq purged_seq = 0;            // deletions up to here may be forgotten
  std::uint8_t purged_life = 0;  // lives up to here may have been used
  Seq told = 0;                  // of our log: a remote that wants the whole collection has it
  std::uint8_t known = 0;        // commits that are reflected here, or whose document is dead
  bool evicted = false;          // our own commits prove nothing any more
  std::uint8_t live = 0;         // set of queries subscribed to
  std::uint8_t alone = 0;        // periods since last level with anybody; only where time passes
  Seq level_seq = 0;             // where our log was then

  [[nodiscard]] bool wants(Query query) const { return (live >> query & 1) != 0; }
  friend bool operator==(const Peer&, const Peer&) = default;
};

struct World {
  std::array<Peer, kMaxPeers> peers{};
  std::array<Commit, kMaxCommits + 1> commits{};
  std::array<Document, kDocuments> truth{};  // all writes ever acknowledged, merged; without marks
  std::array<PeerSet, kMaxPeers> linked{};
  std::uint8_t commit_count = 0;
  std::uint8_t writes = 0;  // so far, however many of them still matter
  std::uint8_t peer_count = 3;

  [[nodiscard]] bool is_linked(Index a, Index b) const { return (linked[a] >> b & 1) != 0; }
  void link(Index a, Index b);
  void cut(Index a, Index b);
  [[nodiscard]] bool matches(Query query, const Document& document) const;
  [[nodiscard]] bool shown(const Document& document) const;
  friend bool operator==(const World&, const World&) = default;
};

// Takes `theirs` into `ours`; what changed gets the mark. Result: whether anything did.
bool merge(const World& world, Document& ours, const Document& theirs, Mark mark);

// Equal for worlds that differ only in the names of documents and of peers with the same subscriptions, in the numbers
// of log entries and commits, and in commits that nobody refers to.
std::uint64_t canonical_hash(const World& world, Index documents);

}  // namespace fermata::model
