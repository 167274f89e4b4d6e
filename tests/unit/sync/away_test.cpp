// Peers that leave with a word, or without one and dial again, and a process that did not run for a while.
#include "pair.hpp"
#include "sync/messages.hpp"

namespace fermata::sync {
namespace {

using std::chrono::seconds;

struct AwayTest : testing::Test {
  Node a{"a"};
  Node b{"b"};
  Pair pair{a, b};
};

TEST_F(AwayTest, WhoSaidGoodbyeIsAwayUntilItsNextLink) {
  pair.connect();
  a.engine->goodbye(seconds(30), a.now());
  pair.settle();
  ASSERT_EQ(b.engine->away().size(), 1u);
  EXPECT_EQ(b.engine->away()[0].device, "a");
  EXPECT_EQ(b.engine->away()[0].expected_return, Duration(seconds(30)));
  EXPECT_TRUE(a.engine->away().empty()) << "the one who leaves is not left";
  pair.connect(2);
  EXPECT_TRUE(b.engine->away().empty());
}

TEST_F(AwayTest, AGoodbyeMayLeaveTheReturnOpenAndAnAbsurdOneIsNone) {
  pair.connect();
  a.engine->goodbye(std::nullopt, a.now());
  pair.settle();
  ASSERT_EQ(b.engine->away().size(), 1u);
  EXPECT_FALSE(b.engine->away()[0].expected_return.has_value());
  pair.connect(2);
  a.engine->goodbye(std::chrono::hours(24 * 1000), a.now());
  pair.settle();
  ASSERT_EQ(b.engine->away().size(), 1u);
  EXPECT_FALSE(b.engine->away()[0].expected_return.has_value());
}

TEST_F(AwayTest, AfterASleepEveryLinkMustShowThatItLives) {
  pair.connect();
  a.clock.time += seconds(60);
  a.engine->woke(a.now());
  ASSERT_LE(a.engine->next_deadline(), a.now() + seconds(5));
  pair.settle();
  a.clock.time += seconds(6);
  a.engine->on_deadline(a.now());
  EXPECT_EQ(a.engine->sessions().size(), 1u) << "it answered";
}

TEST_F(AwayTest, ALinkThatDiedDuringASleepIsGivenUpWithinSeconds) {
  pair.connect();
  a.clock.time += seconds(60);
  a.engine->woke(a.now());
  (void)a.drain();  // the wire is gone
  a.clock.time += seconds(5);
  a.engine->on_deadline(a.now());
  EXPECT_TRUE(a.engine->sessions().empty());
}

TEST_F(AwayTest, AnOldLinkIsNotKeptForAFrameThatLayInABuffer) {
  const auto greet = [&](LinkId link, bool dialed_by_us) {
    a.engine->link_opened({link, "b", "there", dialed_by_us}, a.now());
    a.engine->frame_received(link, encode(Hello{kSpoken, 0, "epoch of b", "b", 0, {}}), a.now());
  };
  greet(1, true);
  greet(2, false);                                        // b lost the first one and dials anew
  a.engine->frame_received(1, encode(Ping{1}), a.now());  // had been under way
  EXPECT_EQ(a.engine->sessions().size(), 2u) << "nothing has been answered";
  a.clock.time += seconds(3);
  a.engine->on_deadline(a.now());
  ASSERT_EQ(a.engine->sessions().size(), 1u);
  EXPECT_EQ(a.session().link, 2u);
}

TEST_F(AwayTest, WhatArrivesWhileWeDrainComesAgainNextTime) {
  a.subscribe("SELECT * FROM cars");
  pair.connect();
  a.engine->drain();
  b.put("bmw", {{"x", 1}});
  pair.settle();
  EXPECT_FALSE(a.at("bmw").exists());
  a.engine->goodbye(std::nullopt, a.now());
  pair.settle();
  pair.connect(2);
  EXPECT_TRUE(a.at("bmw").alive());
}

// The other's word that it has told all it knows better is true, but we were not listening.
TEST_F(AwayTest, ACorrectionThatArrivesWhileWeDrainComesAgainNextTime) {
  a.subscribe("SELECT * FROM cars");
  b.subscribe("SELECT * FROM cars WHERE x = 1");
  pair.connect();
  for (int x = 1; x <= 3; ++x) {
    a.put("bmw", {{"x", x}});
    pair.settle();
  }
  ASSERT_NE(a.at("bmw").fingerprint(), b.at("bmw").fingerprint()) << "it left the query with the second state";
  b.put("bmw", {{"y", 1}});
  b.engine->drain();
  pair.settle();
  EXPECT_FALSE(b.engine->unsent());
  b.engine->goodbye(std::nullopt, b.now());
  pair.settle();
  pair.connect(2);
  EXPECT_EQ(a.at("bmw").fingerprint(), b.at("bmw").fingerprint());
}

TEST_F(AwayTest, WhatAPeerHasNotConfirmedIsUnsentAndCounted) {
  b.subscribe("SELECT * FROM cars");
  pair.connect();
  EXPECT_FALSE(a.engine->unsent());
  a.put("bmw", {{"x", 1}});
  a.put("audi", {{"x", 1}});
  const auto sent = a.drain();  // under way
  EXPECT_FALSE(sent.empty());
  EXPECT_TRUE(a.engine->unsent());
  EXPECT_EQ(a.session().changes_unconfirmed, 2u);
  pair.cut();
  pair.connect(2);
  EXPECT_FALSE(a.engine->unsent());
  EXPECT_EQ(a.session().changes_unconfirmed, 0u);
}

}  // namespace
}  // namespace fermata::sync
