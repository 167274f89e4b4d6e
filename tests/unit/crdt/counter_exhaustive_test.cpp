// Counters: a beginning, and for each peer how often it has counted since.
#include "exhaustive.hpp"

namespace fermata::crdt {
namespace {

enum Operation : std::uint8_t { Count, Set, Unset, Delete, Insert };

struct Model {
  static constexpr std::uint8_t kOperations = 5;
  static constexpr const char* kLetters = "csudi";
  std::uint64_t life = 0;
  // What the field was last made to be, and by whom; stamp 0: it never was anything.
  std::uint64_t stamp = 0;
  std::size_t who = 0;
  bool has_value = false;
  std::array<std::int64_t, kPeers> counted{};  // since then

  [[nodiscard]] bool alive() const { return life % 2 == 1; }
  [[nodiscard]] std::uint64_t kept_life() const { return (life + 1) / 2; }
  [[nodiscard]] bool counts() const { return counted != std::array<std::int64_t, kPeers>{}; }
  [[nodiscard]] bool is_seen() const { return counts() || has_value; }

  void begin_anew(std::uint64_t at, std::size_t by, bool value) {
    stamp = at;
    who = by;
    has_value = value;
    counted = {};
  }

  bool apply(std::uint8_t operation, std::size_t by, std::uint64_t now) {
    if (alive() == (operation == Insert)) return false;
    if (operation == Insert || operation == Delete) ++life;
    if (operation == Insert) begin_anew(0, 0, false);
    if (operation == Count && has_value && !counts()) return false;
    if (operation == Count) ++counted[by];
    // Over all that is seen: a beginning, and what was counted right behind it.
    const std::uint64_t seen = stamp + (counts() ? 1 : 0);
    const std::uint64_t next = std::max(now, seen == 0 ? 0 : seen + 2);
    if (operation == Set) begin_anew(next, by, true);
    if (operation == Unset && is_seen()) begin_anew(next, by, false);
    return true;
  }

  void join(const Model& other) {
    if (other.kept_life() > kept_life()) begin_anew(0, 0, false);
    if (other.kept_life() >= kept_life()) {
      if (other.stamp > stamp) begin_anew(other.stamp, other.who, other.has_value);
      if (other.stamp == stamp) {
        if (other.who > who) has_value = other.has_value;
        who = std::max(who, other.who);
        for (std::size_t i = 0; i < kPeers; ++i) counted[i] = std::max(counted[i], other.counted[i]);
      }
    }
    life = std::max(life, other.life);
  }

  [[nodiscard]] bool matches(const Document& document) const {
    if (document.life() != life) return false;
    const Map view = document.view();
    const auto field = view.find("f");
    if (field == view.end()) return !is_seen();
    if (!counts()) return has_value && field->second == Value("set");
    std::int64_t sum = 0;
    for (const std::int64_t each : counted) sum += each;
    return field->second == Value(sum);
  }

  static Status act(Document& document, std::uint8_t operation, const Commit& commit) {
    switch (operation) {
      case Count:
        return document.increment({"f"}, 1, commit);
      case Set:
        return document.set({"f"}, "set", commit);
      case Unset:
        return document.unset({"f"}, commit);
      case Delete:
        return document.remove(commit);
      default:
        return document.insert({}, commit);
    }
  }

  static ErrorCode refusal(std::uint8_t operation, const Model& before) {
    if (operation == Insert) return ErrorCode::AlreadyExists;
    return before.alive() ? ErrorCode::InvalidArgument : ErrorCode::NotFound;
  }
};

World<Model> with_shared_document(std::array<std::uint64_t, kPeers> skew) {
  World<Model> world;
  world.skew = skew;
  EXPECT_TRUE(act(world, 0, Insert));
  for (std::size_t reader = 1; reader < kPeers; ++reader) EXPECT_TRUE(receive(world, reader, 0));
  return world;
}

// Any three operations and two receptions; 50,584 interleavings.
TEST(ExhaustiveCounter, ThreePeersWithNewsInBetweenAndSkewedClocksAgreeOnWhatWasCounted) {
  auto world = with_shared_document({0, 10, 5});
  std::uint64_t interleavings = 0;
  explore_connected(world, 3, 2, interleavings);
  EXPECT_EQ(interleavings, 50'584U);
}

// Two operations of each of three peers that do not hear of each other; 109,137 interleavings.
TEST(ExhaustiveCounter, ThreePeersApartAgreeOnWhatWasCountedOnceTheyMeet) {
  auto world = with_shared_document({0, 0, 0});
  for (auto& peer : world.peers) peer.operations_left = 2;
  std::uint64_t interleavings = 0;
  explore_isolated(world, interleavings);
  EXPECT_EQ(interleavings, 109'137U);
}

}  // namespace
}  // namespace fermata::crdt
