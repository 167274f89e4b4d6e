// First meetings, repairs, and devices that were away for longer than deletions are remembered.
#include <fmt/format.h>

#include "pair.hpp"

namespace fermata::sync {
namespace {

void put_many(Node& node, const std::string& prefix, int count) {
  auto transaction = node.store->begin().value();
  for (int i = 0; i < count; ++i)
    ASSERT_TRUE(transaction.insert("cars", fmt::format("{}{}", prefix, i), {{"x", i}, {"m", i % 2 == 0}}));
  ASSERT_TRUE(transaction.commit());
}

crdt::Digest digest(Node& node) {
  return node.store->digest("cars").value().digest;
}

// Deletes and forgets it at once, as if the time for which deletions are remembered had passed.
void delete_and_forget(Node& node, const std::string& id) {
  node.remove(id);
  ASSERT_EQ(node.store->purge(node.clock.wall_now() + std::chrono::hours(1), 100).value(), 1u);
}

// Lets all deadlines of the next while pass.
void wait_quietly(Pair& pair) {
  for (int i = 0; i < 4; ++i) {
    pair.a.clock.time += std::chrono::milliseconds(500);
    pair.b.clock.time += std::chrono::milliseconds(500);
    pair.a.engine->on_deadline(pair.a.now());
    pair.b.engine->on_deadline(pair.b.now());
    pair.settle();
  }
}

struct Strangers : ::testing::Test {
  Strangers() {
    for (Node* node : {&a, &b, &both}) node->subscribe(kAll);
  }
  // What `both` has, a and b get, each from it; they have not met.
  void share() {
    Pair with_a{both, a};
    with_a.connect(10);
    with_a.cut();
    Pair with_b{both, b};
    with_b.connect(11);
    with_b.cut();
    ASSERT_EQ(digest(a), digest(b));
  }
  Node a{"a"}, b{"b"}, both{"both"};
  Pair pair{a, b};
};

TEST_F(Strangers, WhoHoldTheSameExchangeNoDocument) {
  put_many(both, "shared", 500);
  share();
  pair.connect();
  EXPECT_EQ(a.session().documents_sent + b.session().documents_sent, 0u);
  EXPECT_LT(pair.bytes, 800u);
  EXPECT_FALSE(a.engine->unsynced());
  EXPECT_FALSE(b.engine->unsynced());
  EXPECT_TRUE(a.session().caught_up && b.session().caught_up);
}

TEST_F(Strangers, ExchangeWhatEitherLacksAndLittleElse) {
  put_many(both, "shared", 500);
  share();
  put_many(a, "of a", 10);
  put_many(b, "of b", 10);
  pair.connect();
  EXPECT_EQ(digest(a), digest(b));
  EXPECT_EQ(digest(a).count, 520u);
  EXPECT_EQ(a.session().documents_sent, 10u);
  EXPECT_EQ(b.session().documents_sent, 10u);
  EXPECT_FALSE(a.engine->unsynced() || b.engine->unsynced());
  EXPECT_EQ(a.session().repairs + b.session().repairs, 0u) << "a first meeting is no defect";
}

TEST_F(Strangers, WithLargeDifferencesCompareListsAndStillMeet) {
  put_many(both, "shared", 200);
  share();
  put_many(a, "of a", 700);
  put_many(b, "of b", 900);
  pair.connect();
  EXPECT_EQ(digest(a), digest(b));
  EXPECT_EQ(digest(a).count, 1800u);
  EXPECT_EQ(a.session().documents_sent, 700u);
  EXPECT_EQ(b.session().documents_sent, 900u);
}

TEST_F(Strangers, MergeDocumentsThatBothHaveChanged) {
  put_many(both, "shared", 300);
  share();
  for (int i = 0; i < 60; ++i) {
    a.put(fmt::format("shared{}", i), {{"from a", i}});
    b.put(fmt::format("shared{}", i), {{"from b", i}});
  }
  a.remove("shared200");
  pair.connect();
  EXPECT_EQ(digest(a), digest(b));
  EXPECT_EQ(a.at("shared7").view(), b.at("shared7").view());
  EXPECT_TRUE(a.at("shared7").view().contains("from b"));
  EXPECT_FALSE(b.at("shared200").alive()) << "a deletion that is remembered reaches strangers";
}

TEST_F(Strangers, GoOnAsAcquaintances) {
  put_many(both, "shared", 500);
  share();
  put_many(a, "of a", 10);
  pair.connect();
  pair.cut();
  b.put("later", {{"x", 1}});
  pair.frames = pair.bytes = 0;
  pair.connect(2);
  EXPECT_EQ(b.session().documents_sent, 1u);
  EXPECT_EQ(a.session().documents_sent, 0u);
  EXPECT_LT(pair.bytes, 900u);
  EXPECT_EQ(digest(a), digest(b));
}

TEST_F(Strangers, MeetOverALinkThatBreaksAtEveryMoment) {
  put_many(both, "shared", 300);
  share();
  put_many(a, "of a", 150);
  put_many(b, "of b", 40);
  LinkId link = 1;
  for (int rounds = 0; rounds < 12; ++rounds) {
    pair.open(++link);
    for (int i = 0; i < rounds; ++i) (void)pair.exchange();
    pair.cut();
  }
  pair.connect(++link);
  EXPECT_EQ(digest(a), digest(b));
  EXPECT_EQ(digest(a).count, 490u);
}

TEST_F(Strangers, WriteWhileTheyAreFindingOutWhatTheyLack) {
  put_many(both, "shared", 300);
  share();
  put_many(a, "of a", 30);
  put_many(b, "of b", 30);
  pair.open();
  for (int i = 0; i < 12; ++i) {
    a.put(fmt::format("of a{}", i), {{"changed", i}});
    b.put(fmt::format("shared{}", i), {{"changed", i}});
    a.remove(fmt::format("shared{}", 20 + i));
    b.put(fmt::format("new{}", i), {{"x", i}});
    (void)pair.exchange();
  }
  pair.settle();
  wait_quietly(pair);
  EXPECT_EQ(digest(a), digest(b));
  EXPECT_EQ(digest(a).count, 300u + 60 - 12 + 12);
  EXPECT_EQ(a.session().repairs + b.session().repairs, 0u);
  EXPECT_FALSE(a.engine->unsynced() || b.engine->unsynced());
}

TEST(FirstMeeting, OfOneWhoWantsOnlySomeComparesOnlyThose) {
  Node a{"a"}, b{"b"}, both{"both"};
  a.subscribe(kAll);
  both.subscribe(kAll);
  b.subscribe("SELECT * FROM cars WHERE m = true");
  put_many(both, "shared", 400);
  Pair{both, a}.connect(10);
  Pair{both, b}.connect(11);
  (void)a.drain();
  (void)b.drain();
  ASSERT_EQ(digest(b).count, 200u);
  put_many(a, "of a", 20);
  a.put("shared0", {{"m", false}});
  a.remove("shared2");
  Pair pair{a, b};
  pair.connect(12);
  EXPECT_LE(a.engine->sessions().back().documents_sent, 12u) << "ten new, one that left, one that was deleted";
  EXPECT_EQ(b.at("shared0").view().at("m"), Value(false));
  EXPECT_FALSE(b.at("shared2").alive());
  EXPECT_TRUE(b.at("of a0").alive());
  EXPECT_FALSE(b.at("of a1").exists());
}

// --- digests ---

TEST_F(Strangers, FindAndMendWhatWasLostThoughBothAreLevel) {
  put_many(a, "car", 40);
  pair.connect();
  ASSERT_EQ(digest(a), digest(b));
  ASSERT_TRUE(b.store->evict("cars", "car7"));  // stands for any defect that loses a document
  a.put("news", {{"x", 1}});
  pair.settle();
  wait_quietly(pair);
  EXPECT_EQ(digest(a), digest(b));
  EXPECT_TRUE(b.at("car7").alive());
  EXPECT_EQ(a.session().repairs, 1u);
  EXPECT_EQ(b.session().repairs, 1u);
  EXPECT_FALSE(a.engine->unsynced() || b.engine->unsynced());
}

TEST_F(Strangers, MendWhatTheOtherSideLost) {
  put_many(a, "car", 40);
  pair.connect();
  ASSERT_TRUE(a.store->evict("cars", "car7"));
  b.put("news", {{"x", 1}});
  pair.settle();
  wait_quietly(pair);
  EXPECT_EQ(digest(a), digest(b));
  EXPECT_TRUE(a.at("car7").alive()) << "nobody deleted it";
  EXPECT_EQ(a.session().documents_given_up + b.session().documents_given_up, 0u);
}

TEST_F(Strangers, AreSilentOnceTheyHaveCompared) {
  put_many(a, "car", 40);
  pair.connect();
  wait_quietly(pair);
  const std::size_t frames = pair.frames;
  wait_quietly(pair);
  EXPECT_EQ(pair.frames, frames);
}

TEST(Digests, OfSomeDocumentsAreComparedToo) {
  Node a{"a"}, b{"b"};
  a.subscribe(kAll);
  b.subscribe("SELECT * FROM cars WHERE m = true");
  put_many(a, "car", 40);
  Pair pair{a, b};
  pair.connect();
  a.put("car8", {{"y", 1}});
  a.put("car9", {{"m", true}});
  a.put("car10", {{"m", false}});
  a.remove("car12");
  pair.settle();
  wait_quietly(pair);
  EXPECT_EQ(a.session().repairs, 0u);
  ASSERT_TRUE(b.store->evict("cars", "car6"));
  a.put("car8", {{"y", 2}});
  pair.settle();
  wait_quietly(pair);
  EXPECT_TRUE(b.at("car6").alive());
  EXPECT_EQ(a.session().repairs, 1u);
}

TEST(Digests, AreNotRepairedUnderTheMutationThatIgnoresThem) {
  EngineOptions broken;
  broken.mutation = Mutation::DigestIgnored;
  Node a{"a", broken}, b{"b", broken};
  for (Node* node : {&a, &b}) node->subscribe(kAll);
  put_many(a, "car", 40);
  Pair pair{a, b};
  pair.connect();
  ASSERT_TRUE(b.store->evict("cars", "car7"));
  a.put("news", {{"x", 1}});
  pair.settle();
  wait_quietly(pair);
  EXPECT_FALSE(b.at("car7").exists());
}

// --- away for longer than deletions are remembered ---

struct LongAway : Strangers {
  LongAway() {
    put_many(a, "car", 50);
    pair.connect();
    wait_quietly(pair);
    pair.cut();
  }
  void meet_again() {
    pair.connect(7);
    wait_quietly(pair);
  }
};

TEST_F(LongAway, DoesNotBringBackWhatWasDeleted) {
  delete_and_forget(a, "car3");
  meet_again();
  EXPECT_FALSE(a.at("car3").alive());
  EXPECT_FALSE(b.at("car3").alive());
  EXPECT_EQ(a.session().documents_given_up, 1u);
  EXPECT_EQ(digest(a), digest(b));
  EXPECT_EQ(digest(a).count, 49u);
}

TEST_F(LongAway, DoesNotBringBackAPartOfWhatWasDeletedByEditingIt) {
  delete_and_forget(a, "car3");
  b.put("car3", {{"y", 1}});
  meet_again();
  EXPECT_FALSE(a.at("car3").alive());
  EXPECT_FALSE(b.at("car3").alive());
  EXPECT_EQ(digest(a), digest(b));
}

TEST_F(LongAway, KeepsItsOwnOfflineEdits) {
  delete_and_forget(a, "car3");
  b.put("car4", {{"y", 1}});
  b.put("own", {{"y", 2}});
  b.remove("car5");
  meet_again();
  EXPECT_EQ(a.at("car4").view().at("y"), Value(1));
  EXPECT_TRUE(a.at("own").alive());
  EXPECT_FALSE(a.at("car5").alive());
  EXPECT_EQ(a.session().documents_given_up, 1u);
  EXPECT_EQ(digest(a), digest(b));
}

TEST_F(LongAway, OfBothSidesKeepsWhatEitherDeleted) {
  delete_and_forget(a, "car3");
  delete_and_forget(b, "car4");
  a.put("of a", {{"x", 1}});
  b.put("of b", {{"x", 1}});
  meet_again();
  for (Node* node : {&a, &b}) {
    EXPECT_FALSE(node->at("car3").alive());
    EXPECT_FALSE(node->at("car4").alive());
    EXPECT_TRUE(node->at("of a").alive());
    EXPECT_TRUE(node->at("of b").alive());
  }
  EXPECT_EQ(digest(a), digest(b));
  EXPECT_FALSE(a.engine->unsynced() || b.engine->unsynced());
}

TEST_F(LongAway, OfOneWhoNeverHadADocumentIsNoDeletionOfIt) {
  put_many(b, "unseen", 60);
  delete_and_forget(a, "car3");
  meet_again();
  EXPECT_TRUE(a.at("unseen5").alive());
  EXPECT_EQ(digest(a).count, 109u);
  EXPECT_EQ(digest(a), digest(b));
}

TEST_F(LongAway, MayBeInterruptedAtEveryMoment) {
  delete_and_forget(a, "car3");
  b.put("car3", {{"y", 1}});
  b.put("own", {{"y", 2}});
  LinkId link = 20;
  for (int rounds = 0; rounds < 12; ++rounds) {
    pair.open(++link);
    for (int i = 0; i < rounds; ++i) (void)pair.exchange();
    pair.cut();
  }
  pair.connect(++link);
  wait_quietly(pair);
  EXPECT_FALSE(a.at("car3").alive());
  EXPECT_FALSE(b.at("car3").alive());
  EXPECT_TRUE(a.at("own").alive());
  EXPECT_EQ(digest(a), digest(b));
}

TEST_F(LongAway, IsOverOnceBothHaveCompared) {
  delete_and_forget(a, "car3");
  meet_again();
  pair.cut();
  b.put("car9", {{"y", 1}});
  pair.bytes = 0;
  pair.connect(8);
  EXPECT_EQ(a.session().documents_sent, 0u);
  EXPECT_LT(pair.bytes, 900u) << "a resume like any other";
}

TEST(LongAwayWithSome, SendsWholeDocumentsToOneWhoHasForgottenThem) {
  Node a{"a"}, b{"b"};
  a.subscribe(kAll);
  b.subscribe("SELECT * FROM cars WHERE m = true");
  put_many(a, "car", 50);
  Pair pair{a, b};
  pair.connect();
  pair.cut();
  delete_and_forget(a, "car2");
  b.put("car2", {{"m", false}});  // leaves what b subscribes to, so that it is not compared
  b.put("car4", {{"y", 1}});
  pair.connect(2);
  wait_quietly(pair);
  EXPECT_EQ(a.at("car4").view().at("y"), Value(1));
  if (a.at("car2").alive()) {
    EXPECT_TRUE(a.at("car2").view().contains("x")) << "half a document";
  }
  EXPECT_FALSE(a.engine->unsynced() || b.engine->unsynced());
}

}  // namespace
}  // namespace fermata::sync
