// What must not come back and what must not be lost: whole documents and parts, echoes, deletions that are told.
#include <fmt/format.h>

#include "pair.hpp"

namespace fermata::sync {
namespace {

constexpr const char* kAll = "SELECT * FROM cars";
constexpr const char* kMarked = "SELECT * FROM cars WHERE m = true";

EngineOptions broken(Mutation mutation) {
  EngineOptions options;
  options.mutation = mutation;
  return options;
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
}

TEST(AnEcho, OfAnEarlierSessionIsWithheldUnderItsMutation) {
  SentBack sent(Mutation::EchoOfOldSessions);
  EXPECT_FALSE(sent.a.at("car").alive());
}

TEST(AnEcho, OfThisLinkIsStillLeftOut) {
  Node a{"a"}, b{"b"};
  b.subscribe(kAll);
  a.put("car", {{"x", 1}});
  Pair pair{a, b};
  pair.connect();
  a.subscribe(kAll);
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
  EXPECT_FALSE(GivenAgain().b.at("car").alive());
}

TEST(TheDead, StayAliveElsewhereUnderTheMutationThatTellsNobody) {
  EXPECT_TRUE(GivenAgain(Mutation::DeadUntold).b.at("car").alive());
}

}  // namespace
}  // namespace fermata::sync
