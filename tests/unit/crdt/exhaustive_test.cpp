// Every interleaving of a few operations of three peers on one document, held against a model so small that it is
// obviously right: a life and the winning stamp of each field, joined by max.
#include <gtest/gtest.h>

#include <array>

#include "crdt/document.hpp"

namespace fermata::crdt {
namespace {

constexpr std::size_t kPeers = 3;
enum Operation : std::uint8_t { Insert, SetA, SetB, Delete, kOperations };
constexpr const char* kFields[] = {"a", "b", "inserted"};  // in path order; only an insert writes the last

// What a document must be, 0 being no register.
struct Model {
  std::uint64_t life = 0;
  std::array<std::uint64_t, 3> stamps{};

  [[nodiscard]] bool alive() const { return life % 2 == 1; }
  [[nodiscard]] std::uint64_t kept_life() const { return (life + 1) / 2; }

  bool apply(Operation operation, std::uint64_t now) {
    if (alive() == (operation == Insert)) return false;
    if (operation == Insert || operation == Delete) ++life;
    if (operation == Insert) stamps = {0, 0, now};
    if (operation == SetA) stamps[0] = std::max(now, stamps[0] + 1);
    if (operation == SetB) stamps[1] = std::max(now, stamps[1] + 1);
    return true;
  }

  void join(const Model& other) {
    if (other.kept_life() > kept_life()) stamps = {};
    for (std::size_t i = 0; i < stamps.size() && other.kept_life() >= kept_life(); ++i) {
      stamps[i] = std::max(stamps[i], other.stamps[i]);
    }
    life = std::max(life, other.life);
  }
};

struct Peer {
  Document document;
  Delta all;  // the document, ready to send
  Model model;
  std::uint64_t seq = 0, local_seq = 0;
  int operations_left = 0;

  void refresh() { all = document.delta_since(0, 0).value_or(Delta{}); }
};

struct World {
  std::array<Peer, kPeers> peers;
  std::array<std::uint64_t, kPeers> skew{};
  std::uint64_t now = 0;
  std::string story;  // how we got here, for people
};

bool equal(const Document& a, const Document& b) {
  return a.life() == b.life() && std::equal(a.registers().begin(), a.registers().end(), b.registers().begin(),
                                            b.registers().end(), [](const Register& x, const Register& y) {
                                              return x.path == y.path && x.kind == y.kind && x.value == y.value &&
                                                     x.dot == y.dot && x.stamp == y.stamp && x.life == y.life;
                                            });
}

bool matches(const Document& document, const Model& model) {
  if (document.life() != model.life) return false;
  auto r = document.registers().begin();
  for (std::size_t i = 0; i < model.stamps.size(); ++i) {
    if (model.stamps[i] == 0) continue;
    if (r == document.registers().end() || r->path.front() != kFields[i]) return false;
    if (r->stamp.value != model.stamps[i]) return false;
    ++r;
  }
  return r == document.registers().end();
}

Status apply(Document& document, Operation operation, const Commit& commit) {
  const Value value{static_cast<std::int64_t>(commit.stamp.value)};
  switch (operation) {
    case Insert:
      return document.insert({{"inserted", value}}, commit);
    case SetA:
      return document.set({"a"}, value, commit);
    case SetB:
      return document.set({"b"}, value, commit);
    default:
      return document.remove(commit);
  }
}

// Whether the operation was possible. If not, it must be an error that changes nothing.
bool act(World& world, std::size_t who, Operation operation) {
  Peer& peer = world.peers[who];
  const std::uint64_t stamp = world.now + 1 + world.skew[who];
  const Commit commit{{who + 1, peer.seq + 1}, Stamp{stamp}, peer.local_seq + 1};
  const bool possible = peer.model.apply(operation, stamp);
  const Status done = apply(peer.document, operation, commit);
  EXPECT_TRUE(done.has_value() == possible && matches(peer.document, peer.model)) << world.story;
  if (!possible) {
    EXPECT_EQ(done.error().code, operation == Insert ? ErrorCode::AlreadyExists : ErrorCode::NotFound) << world.story;
    return false;
  }
  ++peer.seq;
  ++peer.local_seq;
  --peer.operations_left;
  peer.refresh();
  ++world.now;
  world.story += std::string(" ") + "iabd"[operation] + std::to_string(who);
  return true;
}

// Does a step to one peer, goes on from there, and takes the step back.
template <class Step, class GoOn>
void with_step(World& world, std::size_t who, Step step, GoOn go_on) {
  Peer before = world.peers[who];
  const std::uint64_t now = world.now;
  const std::size_t story = world.story.size();
  if (step()) go_on();
  world.peers[who] = std::move(before);
  world.now = now;
  world.story.resize(story);
}

Document merged(Document a, const Delta& b) {
  a.merge(b, LocalMark{99, 9});
  return a;
}

// Merges the three peers' documents in all orders, and compares with the model. (a+b)+c and (b+a)+c are one check, as
// a+b and b+a must be equal to the last bit.
void expect_convergence(const World& world) {
  Model model;
  for (const Peer& peer : world.peers) model.join(peer.model);
  for (std::size_t i = 0; i < kPeers; ++i) {
    const Peer& a = world.peers[i];
    const Peer& b = world.peers[(i + 1) % kPeers];
    const Peer& c = world.peers[(i + 2) % kPeers];
    const Document pair = merged(a.document, b.all);
    ASSERT_TRUE(equal(pair, merged(b.document, a.all))) << world.story;
    const Document last = merged(pair, c.all);
    ASSERT_TRUE(matches(last, model)) << world.story;
    ASSERT_EQ(last.alive(), model.alive()) << world.story;
    // Alive with fields that nobody inserted would be a husk.
    if (!last.alive()) continue;
    ASSERT_FALSE(last.registers().empty()) << world.story;
    ASSERT_EQ(last.registers().back().path.front(), "inserted") << world.story;
  }
}

// Peers act without hearing of each other, each up to three times. Peers are alike but for their number, which only
// breaks ties of stamps, and these stamps differ: so the first to act is called 0, the next new one 1.
void explore_isolated(World& world, std::uint64_t& interleavings) {
  ++interleavings;
  expect_convergence(world);
  if (testing::Test::HasFailure()) return;
  for (std::size_t who = 0; who < kPeers; ++who) {
    for (std::uint8_t i = 0; i < kOperations && world.peers[who].operations_left > 0; ++i) {
      with_step(
          world, who, [&] { return act(world, who, static_cast<Operation>(i)); },
          [&] { explore_isolated(world, interleavings); });
    }
    if (world.peers[who].seq == 0) break;
  }
}

// Whether the reader learned anything.
bool receive(World& world, std::size_t reader, std::size_t writer) {
  Peer& peer = world.peers[reader];
  const Peer& other = world.peers[writer];
  if (reader == writer || !peer.document.merge(other.all, LocalMark{peer.local_seq + 1, 1})) return false;
  ++peer.local_seq;
  peer.model.join(other.model);
  peer.refresh();
  world.story += " " + std::to_string(writer) + ">" + std::to_string(reader);
  EXPECT_TRUE(matches(peer.document, peer.model)) << world.story;
  return true;
}

// Some operations by anybody, with some receptions of another peer's document anywhere between.
void explore_connected(World& world, int operations, int receptions, std::uint64_t& interleavings) {
  ++interleavings;
  expect_convergence(world);
  if (testing::Test::HasFailure()) return;
  for (std::size_t who = 0; who < kPeers; ++who) {
    for (std::uint8_t i = 0; i < kOperations && operations > 0; ++i) {
      with_step(
          world, who, [&] { return act(world, who, static_cast<Operation>(i)); },
          [&] { explore_connected(world, operations - 1, receptions, interleavings); });
    }
    for (std::size_t from = 0; from < kPeers && receptions > 0; ++from) {
      with_step(
          world, who, [&] { return receive(world, who, from); },
          [&] { explore_connected(world, operations, receptions - 1, interleavings); });
    }
  }
}

// Impossible operations change nothing, so scripts that contain one are the shorter scripts without it, which are here
// too. 149,911 interleavings, each merged in all orders.
TEST(Exhaustive, ThreePeersOfThreeOperationsEachConvergeFromNothing) {
  World world;
  for (Peer& peer : world.peers) peer.operations_left = 3;
  std::uint64_t interleavings = 0;
  explore_isolated(world, interleavings);
  EXPECT_EQ(interleavings, 149'911U);
}

// Any three operations and two receptions; 33,832 interleavings.
TEST(Exhaustive, ThreePeersWithNewsInBetweenAndSkewedClocksConvergeFromASharedDocument) {
  World world;
  world.skew = {0, 10, 5};
  ASSERT_TRUE(act(world, 0, Insert));
  for (std::size_t reader = 1; reader < kPeers; ++reader) ASSERT_TRUE(receive(world, reader, 0));
  std::uint64_t interleavings = 0;
  explore_connected(world, 3, 2, interleavings);
  EXPECT_EQ(interleavings, 33'832U);
}

// Any three operations and three receptions; 22,287 interleavings.
TEST(Exhaustive, ThreePeersWithNewsInBetweenAndSkewedClocksConvergeFromNothing) {
  World world;
  world.skew = {0, 10, 5};
  std::uint64_t interleavings = 0;
  explore_connected(world, 3, 3, interleavings);
  EXPECT_EQ(interleavings, 22'287U);
}

}  // namespace
}  // namespace fermata::crdt
