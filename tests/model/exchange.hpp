// What happens on links: the messages of docs/PROTOCOL.md between peers of a World, one after the other.
//
// Between two actions of a run every link is quiet, so what a session remembers follows from the World and is made anew
// here. On one link messages keep their order; those of several links alternate.
#pragma once

#include <array>
#include <optional>

#include "model/rules.hpp"
#include "model/world.hpp"

namespace fermata::model {

// A queue without an allocator. Overflow is remembered: it means an exchange that does not end.
template <class T, std::size_t N>
class Queue {
 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] bool overflowed() const { return overflowed_; }
  [[nodiscard]] T& front() { return items_[first_]; }
  [[nodiscard]] T& back() { return items_[(first_ + size_ - 1) % N]; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] T& at(std::size_t i) { return items_[(first_ + i) % N]; }
  void push(const T& item) {
    if (size_ == N) {
      overflowed_ = true;
      return;
    }
    items_[(first_ + size_++) % N] = item;
  }
  void pop() {
    first_ = (first_ + 1) % N;
    --size_;
  }
  void clear() { size_ = 0; }

 private:
  std::array<T, N> items_{};
  std::size_t first_ = 0, size_ = 0;
  bool overflowed_ = false;
};

using DocumentSet = std::uint8_t;

struct Range {
  bool set = false;
  Seq from = 0, to = 0;
  bool complete = false;
};
using Ranges = std::array<Range, kQueries>;

// A document on its way: some registers, or all.
struct Sent {
  bool set = false, whole = false;
  bool had = false;  // the receiver has had this life of it, as far as the sender's log tells
  Document content;
  std::optional<Document> fingerprint;  // the sender's state, if it wants to be corrected
};

struct Message {
  enum class Type : std::uint8_t { Hello, Changes, Want, Ack };
  Type type = Type::Changes;
  std::array<Sent, kDocuments> documents{};
  DocumentSet names = 0;                     // CHANGES: named; WANT: asked for
  Ranges ranges{}, held{};                   // those of the frame, and those that an answer completes
  bool surplus = false;                      // CHANGES: to be judged, even if it is not wanted
  bool surplus_end = false;                  // CHANGES: all that we hold and the remote may lack has been sent
  std::array<Position, kQueries> cursors{};  // HELLO, ACK
  std::uint8_t live = 0;                     // HELLO
  Seq purged_seq = 0;                        // HELLO
  std::uint8_t purged_life = 0, known = 0;   // HELLO
  bool holds_documents = false;              // HELLO
};

// What the sender keeps per query of the remote's.
struct FeedState {
  bool live = false;
  Position position, announced;
  Seq delivered = 0, settled = 0;
  bool from_nothing = false;  // the remote stated no cursor: what it sent us long ago it may hold no more
};

struct Flight {
  Ranges ranges{};
  std::uint8_t answers = 0;
};

// One direction of a link, with the messages under way.
struct Direction {
  bool open = false;
  bool waits_for_surplus = false;
  std::array<FeedState, kQueries> feeds{};
  Queue<Message, 24> wire;
  Queue<Flight, 24> in_flight;
  std::array<Queue<Range, 12>, kQueries> waiting;  // at the receiver: behind a hole
  Message said;                                    // the sender's HELLO
  std::uint8_t unanswered_wants = 0;
  Seq told_head = 0;
  Seq opened_head = 0;  // of the sender's log, when this session began
};

class Exchange {
 public:
  Exchange(World& world, const Rules& rules, Index documents);

  // Opens the link; `first` speaks first. Nothing is delivered before run().
  void meet(Index first, Index second);
  // A local change of this document has been made by the peer; `before` is how it looked.
  void written(Index peer, Index document, const Document& before);
  // Delivers until all links are quiet, or until `limit` messages have been delivered on the link just opened, which is
  // then cut and the rest goes on. Result: how many that link carried; nothing if the exchange does not end.
  std::optional<int> run(std::optional<int> limit = {});
  // The peers of the link just opened are level: each takes over what the other knows.
  void level(Index a, Index b);

 private:
  struct Change {
    Index document;
    Document before;
    Seq seq;
  };

  [[nodiscard]] Direction& direction(Index from, Index to) { return directions_[from][to]; }
  [[nodiscard]] Peer& peer(Index index) { return world_.peers[index]; }
  void reopen(Index from, Index to);
  void send_hello(Index from, Index to);
  bool deliver_round(std::optional<int> limit);
  void deliver(Index from, Index to);
  void on_hello(Index me, Index remote, const Message& hello);
  void on_changes(Index me, Index remote, const Message& changes);
  void correct(Index me, Index remote, DocumentSet documents);
  void on_want(Index me, Index remote, const Message& want);
  void on_ack(Index me, Index remote, const Message& ack);
  void delivered(Direction& feed, const Flight& flight);

  // Feed: what goes to a remote.
  [[nodiscard]] Seq rewound(Index from, Index to, Seq seq) const;
  [[nodiscard]] Sent delta(Index from, Index to, Index document, Seq since, bool from_nothing) const;
  [[nodiscard]] Sent whole(Index from, Index to, Index document) const;
  void send_surplus(Index from, Index to);
  void pump(Index from, Index to);
  void walk(Index from, Index to, PeerSet group);
  void walk_document(Index from, Index to, PeerSet group, Index document, Message& frame) const;
  enum class Share : std::uint8_t { Nothing, Registers, Whole };
  void push(Index from, Index to, const Change& change, std::optional<Index> source);
  [[nodiscard]] Share share_of(PeerSet live, const Change& change, const Document& after) const;
  void announce(Direction& feed, Message& frame);
  [[nodiscard]] bool announcement_due(const Direction& feed) const;
  void flush(Index from, Index to, Message frame, std::uint8_t answers = 0);
  void committed(Index me, const Change& change, std::optional<Index> source);
  [[nodiscard]] bool overlooks(Index me, Index remote, const Document& before, const Document& after);

  // Intake: what comes from a remote.
  struct Taken {
    DocumentSet wanted = 0, corrections = 0;
    std::array<Change, kDocuments> changes{};
    Index changed = 0;
  };
  void take_document(Index me, Index remote, Index document, const Message& changes, Taken& taken);
  [[nodiscard]] bool wants(Index me, const Document& document) const;
  [[nodiscard]] bool forgotten(Index me, const Sent& sent) const;
  void bury(Index me, Index document, const Sent& sent, Taken& taken);
  void fold(Index me, Index remote, const Ranges& ranges);
  void extend(Position& position, Queue<Range, 12>& waiting);

  World& world_;
  const Rules& rules_;
  Index documents_;
  std::array<std::array<Direction, kMaxPeers>, kMaxPeers> directions_;
  Index first_ = 0, second_ = 0;
  bool opening_ = false;
  int carried_ = 0;
};

}  // namespace fermata::model
