// Lives and fields: a life and the winning stamp of each field, joined by max.
#include "exhaustive.hpp"

namespace fermata::crdt {
namespace {

enum Operation : std::uint8_t { Insert, SetA, SetB, Delete };
constexpr const char* kFields[] = {"a", "b", "inserted"};  // in path order; only an insert writes the last

// What a document must be, 0 being no register.
struct Model {
  static constexpr std::uint8_t kOperations = 4;
  static constexpr const char* kLetters = "iabd";
  std::uint64_t life = 0;
  std::array<std::uint64_t, 3> stamps{};

  [[nodiscard]] bool alive() const { return life % 2 == 1; }
  [[nodiscard]] std::uint64_t kept_life() const { return (life + 1) / 2; }

  bool apply(std::uint8_t operation, std::size_t, std::uint64_t now) {
    if (alive() == (operation == Insert)) return false;
    if (operation == Insert || operation == Delete) ++life;
    if (operation == Insert) stamps = {0, 0, now};
    if (operation == SetA) stamps[0] = std::max(now, stamps[0] + 2);
    if (operation == SetB) stamps[1] = std::max(now, stamps[1] + 2);
    return true;
  }

  void join(const Model& other) {
    if (other.kept_life() > kept_life()) stamps = {};
    for (std::size_t i = 0; i < stamps.size() && other.kept_life() >= kept_life(); ++i) {
      stamps[i] = std::max(stamps[i], other.stamps[i]);
    }
    life = std::max(life, other.life);
  }

  [[nodiscard]] bool matches(const Document& document) const {
    // Alive with fields that nobody inserted would be a husk.
    if (alive() && stamps[2] == 0) return false;
    if (document.life() != life) return false;
    auto r = document.registers().begin();
    for (std::size_t i = 0; i < stamps.size(); ++i) {
      if (stamps[i] == 0) continue;
      if (r == document.registers().end() || r->path.front() != kFields[i]) return false;
      if (r->stamp.value != stamps[i]) return false;
      ++r;
    }
    return r == document.registers().end();
  }

  static Status act(Document& document, std::uint8_t operation, const Commit& commit) {
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

  static ErrorCode refusal(std::uint8_t operation, const Model&) {
    return operation == Insert ? ErrorCode::AlreadyExists : ErrorCode::NotFound;
  }
};

// Impossible operations change nothing, so scripts that contain one are the shorter scripts without it, which are here
// too. 149,911 interleavings, each merged in all orders.
TEST(Exhaustive, ThreePeersOfThreeOperationsEachConvergeFromNothing) {
  World<Model> world;
  for (auto& peer : world.peers) peer.operations_left = 3;
  std::uint64_t interleavings = 0;
  explore_isolated(world, interleavings);
  EXPECT_EQ(interleavings, 149'911U);
}

// Any three operations and two receptions; 33,832 interleavings.
TEST(Exhaustive, ThreePeersWithNewsInBetweenAndSkewedClocksConvergeFromASharedDocument) {
  World<Model> world;
  world.skew = {0, 10, 5};
  ASSERT_TRUE(act(world, 0, Insert));
  for (std::size_t reader = 1; reader < kPeers; ++reader) ASSERT_TRUE(receive(world, reader, 0));
  std::uint64_t interleavings = 0;
  explore_connected(world, 3, 2, interleavings);
  EXPECT_EQ(interleavings, 33'832U);
}

// Any three operations and three receptions; 22,287 interleavings.
TEST(Exhaustive, ThreePeersWithNewsInBetweenAndSkewedClocksConvergeFromNothing) {
  World<Model> world;
  world.skew = {0, 10, 5};
  std::uint64_t interleavings = 0;
  explore_connected(world, 3, 3, interleavings);
  EXPECT_EQ(interleavings, 22'287U);
}

}  // namespace
}  // namespace fermata::crdt
