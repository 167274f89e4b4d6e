#include "pair.hpp"

namespace fermata::sync {
namespace {

using std::chrono::seconds;

constexpr const char* kAllCars = "SELECT * FROM cars";

struct EngineTest : testing::Test {
  Node a{"a"};
  Node b{"b"};
  Pair pair{a, b};
};

TEST_F(EngineTest, ADocumentReachesTheOneWhoAskedForIt) {
  a.put("bmw", {{"x", 1}});
  b.subscribe(kAllCars);
  pair.connect();
  EXPECT_EQ(b.at("bmw").view(), (Map{{"x", 1}}));
  EXPECT_TRUE(b.session().caught_up);
  EXPECT_TRUE(a.session().remote_caught_up);
  EXPECT_EQ(b.session().round_trips, 1u);
  EXPECT_FALSE(a.engine->unsynced());
}

TEST_F(EngineTest, NobodyGetsWhatNobodyAskedFor) {
  a.put("bmw", {{"x", 1}});
  b.subscribe("SELECT * FROM cups");
  pair.connect();
  a.put("audi", {{"x", 1}});
  pair.settle();
  EXPECT_FALSE(b.at("bmw").exists());
  EXPECT_FALSE(b.at("audi").exists());
}

TEST_F(EngineTest, ALiveChangeOfOneFieldTravelsAloneAndAtOnce) {
  a.put("bmw", {{"x", 1}, {"y", std::string(1000, 'y')}});
  b.subscribe(kAllCars);
  pair.connect();
  pair.bytes = pair.frames = 0;
  a.put("bmw", {{"x", 2}});
  pair.settle();
  EXPECT_EQ(pair.frames, 2u) << "one CHANGES and one ACK";
  EXPECT_LT(pair.bytes, 120u);
  EXPECT_EQ(*b.at("bmw").view().at("x").if_a<std::int64_t>(), 2);
}

TEST_F(EngineTest, WhatCameFromAPeerIsNotSentBackToIt) {
  a.subscribe(kAllCars);
  b.subscribe(kAllCars);
  pair.connect();
  a.put("bmw", {{"x", 1}});
  pair.settle();
  EXPECT_EQ(b.session().documents_sent, 0u);
  EXPECT_EQ(a.session().documents_received, 0u);
}

TEST_F(EngineTest, ADocumentThatLeavesAQueryIsSentOnceMoreAndThenNoLonger) {
  b.subscribe("SELECT * FROM cars WHERE x = 1");
  pair.connect();
  a.put("bmw", {{"x", 1}});
  a.put("bmw", {{"x", 2}});
  pair.settle();
  EXPECT_EQ(*b.at("bmw").view().at("x").if_a<std::int64_t>(), 2);
  a.put("bmw", {{"x", 0}});
  pair.settle();
  EXPECT_EQ(*b.at("bmw").view().at("x").if_a<std::int64_t>(), 2) << "released";
}

TEST_F(EngineTest, ADocumentThatEntersAQueryComesWhole) {
  b.subscribe("SELECT * FROM cars WHERE x = 1");
  pair.connect();
  a.put("bmw", {{"x", 0}, {"y", 7}});
  pair.settle();
  EXPECT_FALSE(b.at("bmw").exists());
  a.put("bmw", {{"x", 1}});
  pair.settle();
  EXPECT_EQ(b.at("bmw").view(), (Map{{"x", 1}, {"y", 7}}));
}

TEST_F(EngineTest, ADocumentThatLeftAQueryWhileWeWereAwayIsNamedAndAskedFor) {
  b.subscribe("SELECT * FROM cars WHERE x = 1");
  a.put("bmw", {{"x", 1}});
  pair.connect();
  pair.cut();
  a.put("bmw", {{"x", 2}});
  a.put("audi", {{"x", 2}});
  (void)a.drain();
  pair.connect(2);
  EXPECT_EQ(*b.at("bmw").view().at("x").if_a<std::int64_t>(), 2);
  EXPECT_FALSE(b.at("audi").exists()) << "we never held it";
  EXPECT_TRUE(b.session().caught_up);
  EXPECT_EQ(b.session().round_trips, 2u);
}

TEST_F(EngineTest, ADeletionReachesThoseWhoHoldTheDocument) {
  b.subscribe("SELECT * FROM cars WHERE x = 1");
  a.put("bmw", {{"x", 1}});
  pair.connect();
  a.remove("bmw");
  pair.settle();
  EXPECT_FALSE(b.at("bmw").alive());
  EXPECT_TRUE(b.at("bmw").exists());
}

TEST_F(EngineTest, AResumeSendsOnlyWhatChangedAndTakesOneRoundTrip) {
  for (int i = 0; i < 200; ++i) a.put("d" + std::to_string(i), {{"x", i}, {"y", std::string(100, 'y')}});
  b.subscribe(kAllCars);
  pair.connect();
  pair.cut();
  a.put("d7", {{"x", -1}});
  (void)a.drain();
  pair.bytes = 0;
  pair.connect(2);
  EXPECT_EQ(b.session().round_trips, 1u);
  EXPECT_EQ(a.session().documents_sent, 1u);
  EXPECT_LT(pair.bytes, 700u);
  EXPECT_EQ(*b.at("d7").view().at("x").if_a<std::int64_t>(), -1);
}

TEST_F(EngineTest, AFirstFlightCarriesWhatTheRemoteWillWant) {
  b.subscribe(kAllCars);
  a.put("audi", {{"x", 1}});
  pair.connect();
  pair.cut();
  a.put("bmw", {{"x", 1}});
  (void)a.drain();
  pair.open(2);
  pair.exchange();  // each side's first flight, and nothing else
  EXPECT_TRUE(b.at("bmw").alive());
  pair.settle();
  EXPECT_EQ(a.session().documents_sent, 1u) << "HELLO did not make it send again";
}

TEST_F(EngineTest, AFirstFlightMeantForALostStoreIsNotBelieved) {
  a.subscribe(kAllCars);
  b.subscribe(kAllCars);
  pair.connect();
  b.put("audi", {{"x", 1}});
  pair.settle();
  pair.cut();
  b.engine.reset();
  b.disk.crash();
  b.store.reset();
  b.open();
  b.subscribe(kAllCars);
  a.put("bmw", {{"x", 1}});
  (void)a.drain();
  pair.connect(2);
  EXPECT_TRUE(b.at("bmw").alive());
  EXPECT_TRUE(b.at("audi").alive()) << "its own write came back from the peer that has it";
  EXPECT_TRUE(b.session().caught_up);
}

TEST_F(EngineTest, AnInterruptedWalkGoesOnWhereItWasAndLosesNothing) {
  a.options.batch_bytes = 100;
  a.options.window_bytes = 100;
  a.engine = std::make_unique<Engine>(*a.store, a.options);
  for (int i = 0; i < 20; ++i) a.put("d" + std::to_string(i), {{"x", i}, {"y", 0}});
  (void)a.drain();
  b.subscribe(kAllCars);
  pair.open();
  for (int i = 0; i < 6; ++i) pair.exchange();
  ASSERT_TRUE(b.at("d0").alive());
  ASSERT_FALSE(b.at("d19").alive());
  a.put("d0", {{"x", 100}});
  a.put("d19", {{"x", 119}});  // moves to the end of the log, with a field from before
  pair.cut();
  pair.connect(2);
  EXPECT_EQ(b.at("d19").view(), (Map{{"x", 119}, {"y", 0}}));
  EXPECT_EQ(b.at("d0").view(), (Map{{"x", 100}, {"y", 0}}));
  EXPECT_EQ(b.at("d10").view(), (Map{{"x", 10}, {"y", 0}}));
}

TEST_F(EngineTest, AFullWindowStopsTheSenderUntilItIsAcknowledged) {
  a.options.batch_bytes = 100;
  a.options.window_bytes = 300;
  a.engine = std::make_unique<Engine>(*a.store, a.options);
  b.subscribe(kAllCars);
  pair.connect();
  std::size_t unacknowledged = 0;
  for (int i = 0; i < 50; ++i) {
    a.put("d" + std::to_string(i), {{"x", i}, {"y", std::string(50, 'y')}});
    for (Action& action : a.drain()) {
      unacknowledged += std::get<SendFrame>(action).frame.size();
      b.engine->frame_received(pair.link, std::get<SendFrame>(action).frame, b.now());
    }
  }
  EXPECT_LT(unacknowledged, 600u);
  pair.settle();
  EXPECT_TRUE(b.at("d49").alive());
  EXPECT_TRUE(a.session().remote_caught_up);
}

TEST_F(EngineTest, ASubscriptionMadeWhileConnectedStartsAtOnceAndEndsAtOnce) {
  a.put("bmw", {{"x", 1}});
  pair.connect();
  const SubscriptionId id = b.subscribe(kAllCars);
  pair.settle();
  EXPECT_TRUE(b.at("bmw").alive());
  b.engine->unsubscribe(id, b.now());
  pair.settle();
  a.put("audi", {{"x", 1}});
  pair.settle();
  EXPECT_FALSE(b.at("audi").exists());
  b.subscribe(kAllCars);
  pair.settle();
  EXPECT_TRUE(b.at("audi").alive());
}

TEST_F(EngineTest, WhoeverHoldsASupersededDocumentIsTold) {
  // The newer state never matched, so b would not hear of it; b's own write shows that it must.
  pair.connect();
  b.put("bmw", {{"x", 1}});
  (void)b.drain();
  a.put("bmw", {{"x", 1}});
  a.put("bmw", {{"x", 2}});
  a.put("bmw", {{"x", 3}});
  a.subscribe(kAllCars);
  b.subscribe("SELECT * FROM cars WHERE x = 1");
  pair.settle();
  b.put("bmw", {{"y", 1}});
  pair.settle();
  EXPECT_EQ(a.at("bmw").fingerprint(), b.at("bmw").fingerprint());
}

// b has said by its cursor that it holds everything, but what it knew better got lost, and the question about it again.
TEST_F(EngineTest, ACorrectionThatWasLostTwiceStillComes) {
  a.subscribe("SELECT * FROM cars WHERE z = 1");
  b.subscribe("SELECT * FROM cars WHERE x = 1");
  a.put("bmw", {{"x", 1}});
  pair.connect();
  a.put("bmw", {{"x", 2}});
  pair.settle();
  b.put("bmw", {{"x", 6}});
  pair.settle();
  pair.cut();
  a.put("bmw", {{"w", 1}});
  (void)a.drain();
  pair.open(2);
  for (int i = 0; i < 8 && !b.at("bmw").view().contains("w"); ++i) pair.exchange();
  ASSERT_TRUE(b.at("bmw").view().contains("w"));
  pair.cut();
  pair.open(3);
  for (int i = 0; i < 8 && a.session().documents_sent == 0; ++i) pair.exchange();
  ASSERT_EQ(a.session().documents_sent, 1u) << "asked for again, and about to be answered";
  pair.cut();
  pair.connect(4);
  EXPECT_EQ(a.at("bmw").fingerprint(), b.at("bmw").fingerprint());
}

TEST_F(EngineTest, AnAcknowledgementOfWhatWasSentBeforeASubscriptionDoesNotConfirmIt) {
  const char* select = "SELECT * FROM cars WHERE z = 1";
  const SubscriptionId id = a.subscribe(select);
  b.subscribe("SELECT * FROM cars WHERE x = 1");
  a.put("bmw", {{"x", 1}});
  pair.connect();
  a.put("bmw", {{"x", 2}});
  pair.settle();
  b.put("bmw", {{"y", 5}});
  pair.settle();
  a.engine->unsubscribe(id, a.now());
  pair.settle();
  a.put("bmw", {{"x", 1}});
  pair.exchange();  // b has it, and its ACK is on the way
  ASSERT_EQ(*b.at("bmw").view().at("x").if_a<std::int64_t>(), 1);
  a.subscribe(select);
  for (Action& action : b.drain()) a.engine->frame_received(1, std::get<SendFrame>(action).frame, a.now());
  pair.cut();
  pair.connect(2);
  EXPECT_EQ(a.at("bmw").fingerprint(), b.at("bmw").fingerprint());
}

TEST_F(EngineTest, ANameThatIsTooLongIsCutBetweenCharacters) {
  a.options.name = std::string(255, 'n') + "\u00e4";
  a.engine = std::make_unique<Engine>(*a.store, a.options);
  pair.connect();
  EXPECT_FALSE(pair.closed.has_value());
  EXPECT_EQ(b.session().name, std::string(255, 'n'));
}

TEST_F(EngineTest, ADocumentThatNoFrameHoldsIsPassedOverAndCounted) {
  b.subscribe(kAllCars);
  crdt::Document huge;
  ASSERT_TRUE(huge.insert({{"x", std::string(kMaxFrame, 'x')}}, {{7, 1}, {1u << 20}, 1}));
  auto delta = *huge.delta_since(0, 0);
  delta.collection = "cars";
  delta.id = "truck";
  {
    auto transaction = a.store->begin().value();
    ASSERT_TRUE(transaction.merge(delta, 9));
    ASSERT_TRUE(transaction.commit());
  }
  a.put("bmw", {{"x", 1}});
  pair.connect();
  EXPECT_TRUE(b.at("bmw").alive());
  EXPECT_FALSE(b.at("truck").exists());
  EXPECT_EQ(a.session().documents_too_large, 1u);
  EXPECT_TRUE(b.session().caught_up);
}

TEST_F(EngineTest, SilenceIsPingedAndThenGivenUp) {
  pair.connect();
  ASSERT_EQ(a.engine->next_deadline(), Instant(a.options.heartbeat));
  a.clock.time = *a.engine->next_deadline();
  a.engine->on_deadline(a.now());
  auto actions = a.drain();
  ASSERT_EQ(actions.size(), 1u);
  ASSERT_TRUE(std::holds_alternative<SendFrame>(actions[0])) << "a PING";
  ASSERT_EQ(a.engine->next_deadline(), Instant(a.options.dead_after));
  a.clock.time = *a.engine->next_deadline();
  a.engine->on_deadline(a.now());
  actions = a.drain();
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_EQ(std::get<CloseLink>(actions[0]).why.code, ErrorCode::Timeout);
  EXPECT_TRUE(a.engine->sessions().empty());
}

TEST_F(EngineTest, AnAnsweredPingKeepsTheLink) {
  pair.connect();
  a.clock.time = b.clock.time = Instant(a.options.heartbeat);
  a.engine->on_deadline(a.now());
  pair.settle();
  EXPECT_EQ(a.engine->next_deadline(), a.now() + a.options.heartbeat);
}

TEST_F(EngineTest, AGoodbyeIsHeardAndEndsTheLink) {
  pair.connect();
  a.engine->goodbye(seconds(30), a.now());
  auto actions = a.drain();
  ASSERT_EQ(actions.size(), 2u);
  b.engine->frame_received(1, std::get<SendFrame>(actions[0]).frame, b.now());
  auto answer = b.drain();
  ASSERT_EQ(answer.size(), 1u);
  EXPECT_EQ(std::get<CloseLink>(answer[0]).why.code, ErrorCode::Closed);
  EXPECT_TRUE(a.engine->sessions().empty());
  EXPECT_TRUE(b.engine->sessions().empty());
}

TEST_F(EngineTest, ALinkToOurselvesIsClosed) {
  a.engine->link_opened({1, "a", "here", true}, a.now());
  const auto actions = a.drain();
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_EQ(std::get<CloseLink>(actions[0]).link, 1u);
}

TEST_F(EngineTest, OfTwoLinksTheOneDialedByTheSmallerDeviceStays) {
  pair.connect();  // dialed by a
  a.engine->link_opened({2, "b", "b", false}, a.now());
  b.engine->link_opened({2, "a", "a", true}, b.now());
  pair.settle();
  ASSERT_EQ(a.engine->sessions().size(), 1u);
  ASSERT_EQ(b.engine->sessions().size(), 1u);
  EXPECT_EQ(a.session().link, 1u);
  EXPECT_EQ(b.session().link, 1u);
}

TEST_F(EngineTest, ANewLinkReplacesOneThatNoLongerAnswers) {
  pair.connect();
  b.engine->link_closed(1, b.now());  // and a has not noticed
  a.engine->link_opened({2, "b", "b", false}, a.now());
  b.engine->link_opened({2, "a", "a", true}, b.now());
  (void)b.drain();
  a.clock.time = *a.engine->next_deadline();
  a.engine->on_deadline(a.now());
  ASSERT_EQ(a.engine->sessions().size(), 1u);
  EXPECT_EQ(a.session().link, 2u);
}

TEST_F(EngineTest, SkippedCommitEventsAreFoundInTheLog) {
  b.subscribe(kAllCars);
  pair.connect();
  a.put("bmw", {{"x", 1}});
  a.commits.clear();
  a.engine->commits_skipped(a.now());
  pair.settle();
  EXPECT_TRUE(b.at("bmw").alive());
}

}  // namespace
}  // namespace fermata::sync
