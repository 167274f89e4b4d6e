// Which worlds count as the same.
#include <algorithm>
#include <numeric>

#include "model/world.hpp"

namespace fermata::model {
namespace {

// Numbers by rank: 0 stays 0.
class Ranks {
 public:
  void note(std::uint8_t value) { ranks_[value] = 1; }
  void settle() {
    ranks_[0] = 0;
    std::partial_sum(ranks_.begin(), ranks_.end(), ranks_.begin());
  }
  std::uint8_t operator()(std::uint8_t value) const { return ranks_[value]; }

 private:
  std::array<std::uint8_t, 256> ranks_{};
};

class Hasher {
 public:
  void add(std::uint8_t byte) {
    word_ = word_ << 8 | byte;
    if (++bytes_ % 8 == 0) mix();
  }
  std::uint64_t finish() {
    mix();
    return state_;
  }

 private:
  void mix() {
    state_ = (state_ ^ word_) * 0x9e3779b97f4a7c15u;
    state_ ^= state_ >> 29;
    state_ *= 0xbf58476d1ce4e5b9u;
    state_ ^= state_ >> 32;
    word_ = 0;
  }
  std::uint64_t state_ = 0x853c49e6748fea9bu, word_ = 0;
  unsigned bytes_ = 0;
};

using Order = std::array<std::uint8_t, kMaxPeers>;

class Canonical {
 public:
  Canonical(const World& world, Index documents) : world_(world), documents_(documents) {
    for (const Document& each : world.truth) note_commits(each);
    for (Index i = 0; i < world.peer_count; ++i) note_log(i);
    commits_.settle();
  }

  std::uint64_t hash(const Order& order, bool swapped) {
    Order place{};
    for (std::uint8_t i = 0; i < world_.peer_count; ++i) place[order[i]] = i;
    hasher_ = {};
    hasher_.add(world_.writes);
    for (CommitId id = 1; id <= kMaxCommits; ++id) {
      if (used(id)) hasher_.add(std::uint8_t(world_.commits[id].life << 1 | (world_.commits[id].shown ? 1 : 0)));
    }
    for (Index document = 0; document < documents_; ++document)
      add(world_.truth[swapped ? 1 - document : document], {}, {});
    for (Index i = 0; i < world_.peer_count; ++i) add(order[i], order, place, swapped);
    return hasher_.finish();
  }

 private:
  bool used(CommitId id) const { return commits_(id) != commits_(std::uint8_t(id - 1)); }

  void note_commits(const Document& document) {
    commits_.note(document.birth);
    for (const Register& each : document.fields) commits_.note(each.commit);
  }

  void note_log(Index index) {
    const Peer& peer = world_.peers[index];
    Ranks& log = logs_[index];
    for (const Document& document : peer.documents) {
      note_commits(document);
      log.note(document.life_mark.seq);
      for (const Register& each : document.fields) log.note(each.mark.seq);
    }
    for (Seq seq : {peer.head, peer.purged_seq, peer.told, peer.level_seq}) log.note(seq);
    for (Index other = 0; other < world_.peer_count; ++other) {
      log.note(peer.confirmed[other]);
      for (const Position& each : world_.peers[other].cursors[index]) {
        log.note(each.base);
        log.note(each.seq);
      }
    }
    log.settle();
  }

  void add(Mark mark, const Ranks& log, const Order& place) {
    hasher_.add(log(mark.seq));
    hasher_.add(mark.source == 0 ? 0 : std::uint8_t(place[mark.source - 1u] + 1));
  }

  void add(const Document& document, const Ranks& log, const Order& place) {
    hasher_.add(std::uint8_t(document.life << 4 | commits_(document.birth) << 1 | (document.keep ? 1 : 0)));
    add(document.life_mark, log, place);
    for (const Register& each : document.fields) {
      hasher_.add(commits_(each.commit));
      add(each.mark, log, place);
    }
  }

  void add(Index index, const Order& order, const Order& place, bool swapped) {
    const Peer& peer = world_.peers[index];
    const Ranks& log = logs_[index];
    for (Index document = 0; document < documents_; ++document)
      add(peer.documents[swapped ? 1 - document : document], log, place);
    for (Index i = 0; i < world_.peer_count; ++i) {
      const Index other = order[i];
      if (other == index) continue;
      hasher_.add(world_.is_linked(index, other) ? 1 : 0);
      hasher_.add(peer.wants(kShown) ? log(peer.confirmed[other]) : 0);
      for (const Position& each : peer.cursors[other]) {
        hasher_.add(logs_[other](each.base));
        hasher_.add(logs_[other](each.seq));
      }
    }
    for (Seq seq : {peer.head, peer.purged_seq, peer.told, peer.level_seq}) hasher_.add(log(seq));
    std::uint8_t known = 0;
    for (CommitId id = 1; id <= kMaxCommits; ++id) {
      if (used(id) && (peer.known >> id & 1) != 0) known = std::uint8_t(known | 1u << commits_(id));
    }
    hasher_.add(known);
    hasher_.add(std::uint8_t(peer.purged_life << 5 | peer.alone << 3 | peer.live << 1 | (peer.evicted ? 1 : 0)));
  }

  const World& world_;
  Index documents_;
  Ranks commits_;
  std::array<Ranks, kMaxPeers> logs_{};
  Hasher hasher_;
};

}  // namespace

std::uint64_t canonical_hash(const World& world, Index documents) {
  Canonical canonical(world, documents);
  Order order{};
  std::iota(order.begin(), order.end(), std::uint8_t{0});
  std::uint64_t least = ~std::uint64_t{0};
  do {
    least = std::min(least, canonical.hash(order, false));
    if (documents == kDocuments) least = std::min(least, canonical.hash(order, true));
  } while (std::next_permutation(order.begin(), order.begin() + world.peer_count));
  return least;
}

}  // namespace fermata::model
