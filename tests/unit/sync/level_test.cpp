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

// The answer to a WANT says the ranges of what was asked; a frame behind it that says "the same again" would say those.
TEST_F(Level, AnAnswerAboutWhatHasEndedIsNotWhatIsSaidAgain) {
  const SubscriptionId first = b.subscribe("SELECT * FROM cars WHERE x = 1");
  a.put("car", {{"x", 1}, {"y", 1}});
  pair.connect();
  pair.cut();
  a.put("car", {{"x", 2}});  // named in the first flight, because b holds it
  (void)a.drain();
  b.engine->unsubscribe(first, b.now());
  b.subscribe("SELECT * FROM cars WHERE y = 1");
  pair.open(2);
  const auto give = [](Node& to, const Action& action) {
    to.engine->frame_received(2, std::get<SendFrame>(action).frame, to.now());
  };
  const std::vector<Action> from_a = a.drain();
  const std::vector<Action> hello = b.drain();
  for (const Action& each : hello) give(a, each);
  for (const Action& each : from_a) give(b, each);
  const std::vector<Action> want_and_ack = b.drain();
  ASSERT_EQ(want_and_ack.size(), 2u);
  give(a, want_and_ack[0]);
  a.put("another", {{"y", 1}});
  const std::vector<Action> more = a.drain();
  give(a, want_and_ack[1]);
  for (const Action& each : more) give(b, each);
  pair.settle();
  for (int i = 0; i < 3; ++i) {
    a.put(fmt::format("another{}", i), {{"y", 1}});
    pair.settle();
  }
  EXPECT_TRUE(b.at("another2").exists());
  EXPECT_TRUE(b.session().caught_up);
  EXPECT_FALSE(b.engine->unsynced());
  const std::uint64_t key = query::Predicate::parse("SELECT * FROM cars WHERE y = 1", {})->key();
  EXPECT_EQ(b.store->cursor(a.store->epoch(), key).value(), a.store->last_local_seq());
}

TEST_F(Level, ADocumentInPartsIsSentOnce) {
  b.subscribe("SELECT * FROM cars");
  pair.connect();
  for (int i = 0; i < 3; ++i) {
    a.put("small", {{"x", i}});
    pair.settle();
  }
  a.put("nobody asks", {{"x", 1}}, "dogs");
  pair.settle();
  const std::uint64_t before = a.session().documents_sent;
  const Array numbers(200'000, Value(1));
  a.put("large", {{"p", numbers}, {"q", numbers}, {"r", numbers}});
  pair.settle();
  EXPECT_EQ(a.session().documents_sent - before, 2u) << "its parts";
  EXPECT_TRUE(b.at("large").exists());
}

TEST_F(Level, WhatIsConfirmedAfterASubscriptionBeganAnewIsNotSentAgain) {
  a.subscribe("SELECT * FROM cars");
  b.subscribe("SELECT * FROM cars WHERE x = 1");
  const SubscriptionId ends = b.subscribe("SELECT * FROM cars WHERE x = 2");
  for (int i = 0; i < 5; ++i) b.put(fmt::format("first{}", i), {{"x", 1}});
  pair.connect();
  a.put("of a", {{"x", 1}});
  pair.settle();
  b.engine->unsubscribe(ends, b.now());
  pair.settle();
  for (int i = 0; i < 20; ++i) b.put(fmt::format("second{}", i), {{"x", 1}});
  pair.settle();
  b.subscribe("SELECT * FROM cars WHERE x = 2");
  pair.settle();
  pair.cut();
  pair.connect(2);
  EXPECT_EQ(a.session().documents_received, 0u);
}

}  // namespace
}  // namespace fermata::sync
