// Every interleaving of a few operations of three peers on one document, held against a model so small that it is
// obviously right. A Model has:
//   static constexpr std::uint8_t kOperations; static constexpr const char* kLetters;   one letter each
//   bool apply(operation, who, stamp);        whether it was possible; if not, nothing has changed
//   void join(const Model& other);
//   bool matches(const Document&) const;
//   bool alive() const;
//   static Status act(Document&, operation, const Commit&);
//   static ErrorCode refusal(operation, const Model& before);   what an impossible operation says
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "crdt/document.hpp"

namespace fermata::crdt {

constexpr std::size_t kPeers = 3;

template <class Model>
struct Peer {
  Document document;
  Delta all;  // the document, ready to send
  Model model;
  std::uint64_t seq = 0, local_seq = 0;
  int operations_left = 0;

  void refresh() { all = document.delta_since(0, 0).value_or(Delta{}); }
};

template <class Model>
struct World {
  std::array<Peer<Model>, kPeers> peers;
  std::array<std::uint64_t, kPeers> skew{};
  std::uint64_t now = 0;
  std::string story;  // how we got here, for people
};

inline bool equal(const Document& a, const Document& b) {
  return a.life() == b.life() && std::equal(a.registers().begin(), a.registers().end(), b.registers().begin(),
                                            b.registers().end(), [](const Register& x, const Register& y) {
                                              return x.path == y.path && x.kind == y.kind && x.value == y.value &&
                                                     x.dot == y.dot && x.stamp == y.stamp && x.life == y.life;
                                            });
}

// Whether the operation was possible. If not, it must be an error that changes nothing.
template <class Model>
bool act(World<Model>& world, std::size_t who, std::uint8_t operation) {
  Peer<Model>& peer = world.peers[who];
  const std::uint64_t stamp = world.now + 1 + world.skew[who];
  const Commit commit{{who + 1, peer.seq + 1}, Stamp{stamp}, peer.local_seq + 1};
  const Model before = peer.model;
  const bool possible = peer.model.apply(operation, who, stamp);
  const Status done = Model::act(peer.document, operation, commit);
  const char letter = Model::kLetters[operation];
  EXPECT_TRUE(done.has_value() == possible && peer.model.matches(peer.document)) << world.story << " " << letter << who;
  if (!possible) {
    EXPECT_TRUE(done || done.error().code == Model::refusal(operation, before)) << world.story << " " << letter << who;
    return false;
  }
  ++peer.seq;
  ++peer.local_seq;
  --peer.operations_left;
  peer.refresh();
  ++world.now;
  world.story += std::string(" ") + letter + std::to_string(who);
  return true;
}

// Does a step to one peer, goes on from there, and takes the step back.
template <class Model, class Step, class GoOn>
void with_step(World<Model>& world, std::size_t who, Step step, GoOn go_on) {
  Peer<Model> before = world.peers[who];
  const std::uint64_t now = world.now;
  const std::size_t story = world.story.size();
  if (step()) go_on();
  world.peers[who] = std::move(before);
  world.now = now;
  world.story.resize(story);
}

inline Document merged(Document a, const Delta& b) {
  a.merge(b, LocalMark{99, 9});
  return a;
}

// Merges the three peers' documents in all orders, and compares with the model. (a+b)+c and (b+a)+c are one check, as
// a+b and b+a must be equal to the last bit.
template <class Model>
void expect_convergence(const World<Model>& world) {
  Model model;
  for (const Peer<Model>& peer : world.peers) model.join(peer.model);
  for (std::size_t i = 0; i < kPeers; ++i) {
    const Peer<Model>& a = world.peers[i];
    const Peer<Model>& b = world.peers[(i + 1) % kPeers];
    const Peer<Model>& c = world.peers[(i + 2) % kPeers];
    const Document pair = merged(a.document, b.all);
    ASSERT_TRUE(equal(pair, merged(b.document, a.all))) << world.story;
    const Document last = merged(pair, c.all);
    ASSERT_TRUE(model.matches(last)) << world.story;
    ASSERT_EQ(last.alive(), model.alive()) << world.story;
  }
}

// Peers act without hearing of each other, each as often as it may. Peers are alike but for their number, which only
// breaks ties of stamps, and these stamps differ: so the first to act is called 0, the next new one 1.
template <class Model>
void explore_isolated(World<Model>& world, std::uint64_t& interleavings) {
  ++interleavings;
  expect_convergence(world);
  if (testing::Test::HasFailure()) return;
  for (std::size_t who = 0; who < kPeers; ++who) {
    for (std::uint8_t i = 0; i < Model::kOperations && world.peers[who].operations_left > 0; ++i) {
      with_step(
          world, who, [&] { return act(world, who, i); }, [&] { explore_isolated(world, interleavings); });
    }
    if (world.peers[who].seq == 0) break;
  }
}

// Whether the reader learned anything.
template <class Model>
bool receive(World<Model>& world, std::size_t reader, std::size_t writer) {
  Peer<Model>& peer = world.peers[reader];
  const Peer<Model>& other = world.peers[writer];
  if (reader == writer || !peer.document.merge(other.all, LocalMark{peer.local_seq + 1, 1})) return false;
  ++peer.local_seq;
  peer.model.join(other.model);
  peer.refresh();
  world.story += " " + std::to_string(writer) + ">" + std::to_string(reader);
  EXPECT_TRUE(peer.model.matches(peer.document)) << world.story;
  return true;
}

// Some operations by anybody, with some receptions of another peer's document anywhere between.
template <class Model>
void explore_connected(World<Model>& world, int operations, int receptions, std::uint64_t& interleavings) {
  ++interleavings;
  expect_convergence(world);
  if (testing::Test::HasFailure()) return;
  for (std::size_t who = 0; who < kPeers; ++who) {
    for (std::uint8_t i = 0; i < Model::kOperations && operations > 0; ++i) {
      with_step(
          world, who, [&] { return act(world, who, i); },
          [&] { explore_connected(world, operations - 1, receptions, interleavings); });
    }
    for (std::size_t from = 0; from < kPeers && receptions > 0; ++from) {
      with_step(
          world, who, [&] { return receive(world, who, from); },
          [&] { explore_connected(world, operations, receptions - 1, interleavings); });
    }
  }
}

}  // namespace fermata::crdt
