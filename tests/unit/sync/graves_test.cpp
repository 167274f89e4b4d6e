// What must not come back and what must not be lost: whole documents and parts, echoes, deletions that are told.
#include <fmt/format.h>

#include "pair.hpp"

namespace fermata::sync {
namespace {

constexpr const char* kMarked = "SELECT * FROM cars WHERE m = true";

EngineOptions broken(Mutation mutation) {
  EngineOptions options;
  options.mutation = mutation;
  return options;
}

// Lets time pass on one side, its deadlines with it.
void wait(Node& node, Duration how_long) {
  for (Duration step = std::chrono::milliseconds(500); how_long > Duration::zero(); how_long -= step) {
    node.clock.time += step;
    node.clock.wall += std::chrono::milliseconds(500);
    for (; !node.commits.empty(); node.commits.pop_front()) node.engine->committed(node.commits.front(), node.now());
    node.engine->on_deadline(node.now());
  }
}

void wait_quietly(Pair& pair) {
  for (int i = 0; i < 4; ++i) {
    wait(pair.a, std::chrono::milliseconds(500));
    wait(pair.b, std::chrono::milliseconds(500));
    pair.settle();
  }
}

// --- whole or ask ---

struct HalfHeld {
  explicit HalfHeld(Mutation mutation = Mutation::None) : b("b", broken(mutation)) {
    a.subscribe(kAll);
    b.subscribe(kAll);
    a.put("car", {{"x", 1}, {"y", 1}});
    pair.connect();
    EXPECT_TRUE(b.store->evict("cars", "car"));  // stands for any way in which b may have lost it
    a.put("car", {{"y", 2}});
  }
  Node a{"a"}, b;
  Pair pair{a, b};
};

TEST(APart, OfADocumentThatIsNotHereIsNotTakenInButAskedFor) {
  HalfHeld half;
  half.pair.settle();
  EXPECT_EQ(half.b.at("car").view(), half.a.at("car").view());
  EXPECT_FALSE(half.a.engine->unsynced() || half.b.engine->unsynced());
}

TEST(APart, ThatWasAskedForStaysOpenWhenTheLinkBreaks) {
  HalfHeld half;
  (void)half.pair.exchange();
  half.pair.cut();
  EXPECT_FALSE(half.b.at("car").exists());
  half.pair.connect(2);
  EXPECT_EQ(half.b.at("car").view(), half.a.at("car").view());
}

TEST(APart, MakesHalfADocumentUnderTheMutationThatTakesItIn) {
  HalfHeld half(Mutation::PartTakenForWhole);
  half.pair.settle();
  EXPECT_FALSE(half.b.at("car").view().contains("x"));
}

// --- echo ---

struct SentBack {
  explicit SentBack(Mutation mutation = Mutation::None) : b("b", broken(mutation)) {
    b.subscribe(kAll);
    a.put("car", {{"x", 1}});
    pair.connect();
    pair.cut();
    EXPECT_TRUE(a.store->evict("cars", "car"));
    a.subscribe(kAll);
    pair.connect(2);
  }
  Node a{"a"}, b;
  Pair pair{a, b};
};

TEST(AnEcho, OfAnEarlierSessionIsNoneForWhoStatesNoCursor) {
  SentBack sent;
  EXPECT_TRUE(sent.a.at("car").alive());
  EXPECT_EQ(sent.a.engine->repairs(), 0u);
}

TEST(AnEcho, OfAnEarlierSessionTakesARepairUnderItsMutation) {
  SentBack sent(Mutation::EchoOfOldSessions);
  EXPECT_EQ(sent.a.engine->repairs(), 1u);
}

TEST(AnEcho, OfWhatASubscriptionWasFollowedByIsLeftOut) {
  Node a{"a"}, b{"b"};
  b.subscribe(kAll);
  a.subscribe(kAll);
  Pair pair{a, b};
  pair.connect();
  a.put("car", {{"x", 1}});
  pair.settle();
  EXPECT_EQ(b.session().documents_sent, 0u);
}

// --- the dead are told ---

// a deleted the car and told b so, which forgot both; then b was given it again by c, who never heard.
struct GivenAgain {
  explicit GivenAgain(Mutation mutation = Mutation::None) : a("a", broken(mutation)) {
    a.subscribe(kAll);
    c.subscribe(kAll);
    b.subscribe(kMarked);
    a.put("car", {{"x", 1}, {"m", true}});
    Pair with_a{a, c};
    with_a.connect(1);
    with_a.cut();
    Pair pair{a, b};
    pair.connect(2);
    a.remove("car");
    pair.settle();
    pair.cut();
    EXPECT_EQ(b.store->purge(b.clock.wall_now() + std::chrono::hours(1), 10).value(), 1u);
    Pair with_c{b, c};
    with_c.connect(3);
    with_c.cut();
    EXPECT_TRUE(b.at("car").alive()) << "c never heard of it, b has forgotten it";
    pair.connect(4);
  }
  Node a, b{"b"}, c{"c"};
};

TEST(TheDead, AreToldToWhoSendsThemAlive) {
  GivenAgain told;
  EXPECT_FALSE(told.b.at("car").alive());
  EXPECT_EQ(told.a.engine->repairs(), 0u);
}

TEST(TheDead, TakeARepairUnderTheMutationThatTellsNobody) {
  EXPECT_NE(GivenAgain(Mutation::DeadUntold).a.engine->repairs(), 0u);
}

// --- forgetting deletions ---

EngineOptions forgetful(Mutation mutation = Mutation::None) {
  EngineOptions options = broken(mutation);
  options.tombstone_ttl = std::chrono::seconds(20);
  return options;
}

constexpr Duration kLonger = std::chrono::seconds(30);

TEST(ADeletion, IsForgottenAfterItsTimeByWhoHoldsAll) {
  Node a{"a", forgetful()};
  a.subscribe(kAll);
  a.put("car", {{"x", 1}});
  a.remove("car");
  wait(a, std::chrono::seconds(15));
  EXPECT_TRUE(a.at("car").exists());
  wait(a, kLonger);
  EXPECT_FALSE(a.at("car").exists());
  EXPECT_EQ(a.engine->tombstones_purged(), 1u);
}

TEST(ADeletion, IsRememberedByWhoHoldsSome) {
  Node a{"a", forgetful()};
  a.subscribe(kMarked);
  a.put("car", {{"m", true}});
  a.remove("car");
  wait(a, kLonger);
  EXPECT_TRUE(a.at("car").exists());
}

TEST(ADeletion, IsRememberedForEverWhereTheTimeIsZero) {
  EngineOptions options;
  options.tombstone_ttl = Duration::zero();
  Node a{"a", options};
  a.subscribe(kAll);
  a.put("car", {{"x", 1}});
  a.remove("car");
  wait(a, kLonger);
  EXPECT_TRUE(a.at("car").exists());
  EXPECT_FALSE(a.engine->next_deadline());
}

// Deletes while b is connected and does not listen.
bool forgets_before_it_was_heard(Mutation mutation) {
  Node a{"a", forgetful(mutation)}, b{"b"};
  a.subscribe(kAll);
  b.subscribe(kAll);
  a.put("car", {{"x", 1}});
  Pair pair{a, b};
  pair.connect();
  a.remove("car");
  std::vector<Action> unheard = a.drain();
  wait(a, kLonger);
  return !a.at("car").exists();
}

TEST(ADeletion, IsRememberedUntilConnectedPeersHaveHeardOfIt) {
  EXPECT_FALSE(forgets_before_it_was_heard(Mutation::None));
  EXPECT_TRUE(forgets_before_it_was_heard(Mutation::PurgedUnheard));
}

// The car is b's; a deletes and forgets it while b is away.
struct Returns {
  explicit Returns(Mutation mutation = Mutation::None, const char* of_b = kAll) : a("a", forgetful(mutation)) {
    a.subscribe(kAll);
    b.subscribe(of_b);
    b.put("car", {{"x", 1}, {"y", 1}, {"m", true}});
    b.put("other", {{"x", 1}, {"m", true}});
    pair.connect();
    wait_quietly(pair);
    pair.cut();
    a.remove("car");
    wait(a, kLonger);
  }
  void back(LinkId link = 2) {
    pair.connect(link);
    wait_quietly(pair);
  }
  Node a, b{"b"};
  Pair pair{a, b};
};

TEST(WhoReturns, WithADocumentWhoseDeletionIsForgottenLosesIt) {
  Returns returns;
  ASSERT_FALSE(returns.a.at("car").exists());
  returns.back();
  EXPECT_FALSE(returns.a.at("car").alive() || returns.b.at("car").alive());
  EXPECT_EQ(returns.a.engine->documents_given_up(), 1u);
  EXPECT_EQ(returns.a.session().documents_given_up, 1u);
  EXPECT_TRUE(returns.a.at("other").alive());
}

TEST(WhoReturns, LosesItToWhateverItChangedInIt) {
  Returns returns;
  returns.b.put("car", {{"y", 2}, {"z", 3}});
  returns.b.put("other", {{"y", 2}});
  returns.back();
  EXPECT_FALSE(returns.a.at("car").alive() || returns.b.at("car").alive());
  EXPECT_EQ(returns.a.at("other").view().at("y"), Value(2));
}

TEST(WhoReturns, BringsItBackUnderTheMutationThatJudgesNothing) {
  Returns returns(Mutation::JudgeLeftOut);
  returns.back();
  EXPECT_TRUE(returns.a.at("car").alive());
}

TEST(WhoReturns, AsAStrangerByWayOfAStrangerIsRecognisedAllTheSame) {
  Returns returns;
  Node c{"c"};
  c.subscribe(kAll);
  Pair strangers{returns.b, c};
  strangers.connect(5);
  strangers.cut();
  ASSERT_TRUE(c.at("car").alive());
  Pair meeting{returns.a, c};
  meeting.connect(6);
  wait_quietly(meeting);
  EXPECT_FALSE(returns.a.at("car").alive() || c.at("car").alive());
}

TEST(WhoReturns, WithSomeShowsAlsoWhatItDoesNotAskFor) {
  Returns returns(Mutation::None, kMarked);
  // b holds only some, so a does not know what b knows: it remembers.
  EXPECT_TRUE(returns.a.at("car").exists());
  returns.a.put("own", {{"m", true}});
  returns.back();
  returns.pair.cut();
  returns.b.put("own", {{"m", false}});
  returns.back(3);
  returns.pair.cut();
  ASSERT_TRUE(returns.b.at("own").alive());
  returns.a.remove("own");
  wait(returns.a, kLonger);
  returns.back(4);
  EXPECT_FALSE(returns.b.at("own").alive());
}

TEST(WhoReturns, ToSomebodyWhoIsLeavingIsAskedAgain) {
  for (int rounds = 0; rounds < 10; ++rounds) {
    Returns returns;
    returns.pair.open(2);
    for (int i = 0; i < rounds; ++i) (void)returns.pair.exchange();
    returns.a.engine->drain();
    returns.pair.settle();
    returns.a.engine->goodbye(std::nullopt, returns.a.now());
    returns.pair.settle();
    returns.pair.cut();
    returns.back(3);
    EXPECT_FALSE(returns.a.at("car").alive() || returns.b.at("car").alive()) << rounds << " exchanges before it left";
  }
}

TEST(ADeletion, OfADocumentThatWouldNotBeRecognisedIsRemembered) {
  Returns returns(Mutation::None, kMarked);
  EXPECT_TRUE(returns.a.at("car").exists());
  Returns careless(Mutation::PurgedUnknown, kMarked);
  EXPECT_FALSE(careless.a.at("car").exists());
}

TEST(ADeletion, IsRememberedForEverIfTheDocumentBeganOverAnUnknownOne) {
  Returns returns(Mutation::None, kMarked);
  returns.a.put("car", {{"x", 2}});
  returns.a.remove("car");
  wait(returns.a, kLonger);
  EXPECT_TRUE(returns.a.at("car").exists());
}

TEST(ANewDocument, OfAForgottenNameIsNotKilledByAnOldTombstone) {
  Returns returns;
  returns.b.remove("car");
  returns.a.put("car", {{"new", true}});
  EXPECT_EQ(returns.a.at("car").life(), 3u);
  returns.back();
  EXPECT_TRUE(returns.a.at("car").alive() && returns.b.at("car").alive());
}

TEST(ANewDocument, OfANameForgottenElsewhereBeginsAboveItToo) {
  Returns returns;
  Node c{"c"};
  c.subscribe(kAll);
  Pair meeting{returns.a, c};
  meeting.connect(5);
  meeting.cut();
  c.put("car", {{"new", true}});
  EXPECT_EQ(c.at("car").life(), 3u);
}

// --- evict ---

struct Guest {
  explicit Guest(Mutation mutation = Mutation::None) : a("a", broken(mutation)) {
    b.subscribe(kAll);
    b.put("car", {{"m", true}});
    some = a.subscribe(kMarked);
    pair.connect();
  }
  [[nodiscard]] ErrorCode evict() {
    auto evicted = a.engine->evict("cars", "car");
    pair.settle();
    return evicted ? ErrorCode{} : evicted.error().code;
  }
  Node a, b{"b"};
  SubscriptionId some = 0;
  Pair pair{a, b};
};

TEST(Evicting, IsRefusedForWhatWeSubscribeTo) {
  Guest test;
  EXPECT_EQ(test.evict(), ErrorCode::InvalidArgument);
  EXPECT_TRUE(test.a.at("car").alive());
}

TEST(Evicting, IsRefusedForWhatNobodyElseIsKnownToHold) {
  Guest test;
  test.a.engine->unsubscribe(test.some, test.a.now());
  test.a.put("car", {{"y", 1}});
  EXPECT_EQ(test.evict(), ErrorCode::Busy) << "b has not heard of the change";
  test.pair.settle();
  ASSERT_TRUE(test.a.engine->evict("cars", "car"));
  EXPECT_FALSE(test.a.at("car").exists());
  EXPECT_TRUE(test.b.at("car").view().contains("y"));
}

TEST(Evicting, IsOverWhenWeSubscribeAgain) {
  for (const Mutation mutation : {Mutation::None, Mutation::EvictKeepsCursors}) {
    Guest test(mutation);
    test.a.engine->unsubscribe(test.some, test.a.now());
    test.pair.settle();
    ASSERT_TRUE(test.a.engine->evict("cars", "car"));
    test.a.subscribe(kMarked);
    test.pair.settle();
    EXPECT_EQ(test.a.at("car").alive(), mutation == Mutation::None);
  }
}

}  // namespace
}  // namespace fermata::sync
