// Many subscriptions on one session: what a change costs, and what becomes of those that begin and end among them.
#include <fmt/format.h>

#include "pair.hpp"

namespace fermata::sync {
namespace {

struct Level : testing::Test {
  void subscribe(std::int64_t first, std::int64_t end) {
    for (std::int64_t x = first; x < end; ++x)
      ids.push_back(b.subscribe(fmt::format("SELECT * FROM cars WHERE x = {}", x)));
  }
  void change(std::int64_t x, std::int64_t to) { a.put(fmt::format("car{}", x), {{"x", x}, {"y", to}}); }
  void change_all(std::int64_t end, std::int64_t to) {
    for (std::int64_t x = 0; x < end; ++x) {
      change(x, to);
      pair.settle();
    }
  }
  // What one change costs on the wire, both ways.
  std::size_t cost(std::int64_t to) {
    const std::size_t before = pair.bytes;
    change(0, to);
    pair.settle();
    return pair.bytes - before;
  }
  [[nodiscard]] bool arrived(std::int64_t x, std::int64_t to) {
    return b.at(fmt::format("car{}", x)).view() == Map{{"x", x}, {"y", to}};
  }
  [[nodiscard]] std::uint64_t repairs() { return a.engine->repairs() + b.engine->repairs(); }

  Node a{"a"}, b{"b"};
  Pair pair{a, b};
  std::vector<SubscriptionId> ids;
};

TEST_F(Level, AChangeTakesTheSameBytesWhateverTheNumberOfSubscriptions) {
  subscribe(0, 1);
  pair.connect();
  change_all(1, 1);
  (void)cost(2);
  const std::size_t one = cost(3);
  subscribe(1, 500);
  pair.settle();
  (void)cost(4);
  (void)cost(5);
  EXPECT_LE(cost(6), one + 4) << "numbers have become larger, no more than that";
  EXPECT_TRUE(arrived(0, 6));
}

TEST_F(Level, ASubscriptionThatBeginsAmongManyGetsWhatItLacksAndTheOthersGoOn) {
  subscribe(0, 100);
  pair.connect();
  change_all(120, 1);
  change(7, 2);
  const std::vector<Action> under_way = a.drain();
  subscribe(110, 111);
  change(8, 2);
  for (const Action& action : under_way) b.engine->frame_received(1, std::get<SendFrame>(action).frame, b.now());
  pair.settle();
  change(110, 2);
  change(9, 2);
  pair.settle();
  for (const std::int64_t x : {7, 8, 9, 110}) EXPECT_TRUE(arrived(x, 2)) << x;
  EXPECT_TRUE(arrived(99, 1));
  EXPECT_FALSE(b.at("car111").exists());
  EXPECT_EQ(repairs(), 0u);
}

TEST_F(Level, ASubscriptionThatEndsAmongManyTakesNothingWithIt) {
  subscribe(0, 100);
  pair.connect();
  change_all(100, 1);
  change(7, 2);
  change(8, 2);
  const std::vector<Action> under_way = a.drain();
  b.engine->unsubscribe(ids[7], b.now());
  for (const Action& action : under_way) b.engine->frame_received(1, std::get<SendFrame>(action).frame, b.now());
  pair.settle();
  change_all(10, 3);
  EXPECT_TRUE(arrived(8, 3));
  EXPECT_FALSE(arrived(7, 3)) << "nobody asks for it";
  subscribe(7, 8);
  pair.settle();
  EXPECT_TRUE(arrived(7, 3));
  EXPECT_EQ(repairs(), 0u);
}

TEST_F(Level, AfterACutEverySubscriptionGoesOnFromWhereAllWere) {
  subscribe(0, 100);
  pair.connect();
  change_all(100, 1);
  change(5, 2);
  (void)a.drain();  // lost on its way
  pair.cut();
  change(6, 2);
  pair.connect(2);
  EXPECT_TRUE(arrived(5, 2));
  EXPECT_TRUE(arrived(6, 2));
  EXPECT_EQ(b.session().documents_received, 2u);
  EXPECT_EQ(repairs(), 0u);
}

TEST_F(Level, WhatIsSentToOneWhoReadsNothingIsBoundedInFramesToo) {
  constexpr std::int64_t kChanges = 3000;
  subscribe(0, 1000);
  pair.connect();
  change_all(3, 0);
  std::vector<Action> unread;
  for (std::int64_t y = 1; y <= kChanges; ++y) {
    change(1, y);
    for (Action& action : a.drain()) unread.push_back(std::move(action));
  }
  EXPECT_LT(unread.size(), 1100u) << "each may have to be kept as a thousand ranges";
  for (const Action& action : unread) b.engine->frame_received(1, std::get<SendFrame>(action).frame, b.now());
  pair.settle();
  EXPECT_TRUE(arrived(1, kChanges));
}

}  // namespace
}  // namespace fermata::sync
