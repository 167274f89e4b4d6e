// What was given up here is no echo: whoever asks for it again gets it, whoever believes it to be here. And lives that
// somebody has forgotten.
#include "mesh.hpp"
#include "pair.hpp"

namespace fermata::sync {
namespace {

TEST(Evicted, InThisSessionComesBackToANewSubscription) {
  Node a{"a"}, v{"v"};
  a.subscribe("SELECT * FROM cars WHERE x < 100");
  Pair pair{a, v};
  pair.connect();
  v.put("car", {{"x", 1}});
  pair.settle();
  ASSERT_TRUE(v.engine->evict("cars", "car"));
  (void)v.drain();
  v.subscribe("SELECT * FROM cars WHERE x = 1");
  pair.settle();
  EXPECT_TRUE(v.at("car").alive());
  EXPECT_EQ(v.engine->repairs(), 0u);
}

TEST(Evicted, ComesBackThoughAnEarlierSessionWasCutBeforeItsAnswer) {
  Node a{"a"}, r{"r"}, c{"c"};
  a.subscribe(kAll);
  c.subscribe(kAll);
  r.put("car", {{"x", 1}});
  Pair first{a, r};
  first.connect(1);
  ASSERT_TRUE(a.at("car").alive());
  const SubscriptionId id = r.subscribe(kAll);
  (void)first.exchange();  // SUBSCRIBE arrives; the answer and its ACK are lost
  first.cut();
  r.engine->unsubscribe(id, r.now());
  Pair with_c{c, r};
  with_c.connect(2);
  ASSERT_TRUE(r.engine->evict("cars", "car"));
  with_c.cut();
  r.subscribe(kAll);
  first.connect(3);
  EXPECT_TRUE(r.at("car").alive());
  EXPECT_EQ(r.engine->repairs() + a.engine->repairs(), 0u);
}

// Two hold the car; v has had it from one of them, and is offered it by the other after having given it up.
struct OfferedAgain {
  explicit OfferedAgain(bool burst) {
    a.subscribe(kAll);
    b.subscribe(kAll);
    const SubscriptionId before = v.subscribe(kAll);
    const LinkId v_a = mesh.open(v, a);
    for (auto [near, far] : {std::pair(&v, &b), {&w, &a}, {&w, &b}}) mesh.open(*near, *far);
    mesh.settle();
    w.put("car", {{"x", 1}});
    mesh.settle();
    mesh.wait(std::chrono::seconds(1));
    EXPECT_TRUE(v.at("car").alive());
    v.engine->unsubscribe(before, v.now());
    mesh.settle();
    EXPECT_TRUE(v.engine->evict("cars", "car"));
    if (burst) {
      v.commits.clear();  // more than the queue between store and engine takes
      v.engine->commits_skipped(v.now());
    }
    mesh.settle();
    mesh.freeze(v_a);
    v.subscribe("SELECT * FROM cars WHERE x < 9");
    mesh.settle();
    mesh.cut(v_a);
    for (int i = 0; i < 5; ++i) mesh.wait(std::chrono::seconds(1));
  }
  Node a{"a"}, b{"b"}, v{"v"}, w{"w"};
  Mesh mesh{{&a, &b, &v, &w}};
};

TEST(Evicted, IsAskedForWhenItIsOffered) {
  OfferedAgain given(false);
  EXPECT_TRUE(given.v.at("car").alive());
  EXPECT_EQ(given.v.engine->repairs(), 0u);
}

TEST(Evicted, IsAskedForWhenItIsOfferedThoughItWentInABurstOfCommits) {
  OfferedAgain given(true);
  EXPECT_TRUE(given.v.at("car").alive());
  EXPECT_EQ(given.v.engine->repairs(), 0u);
}

// p has forgotten the deletion of a car that z remembers; a has never heard of it and uses the name anew.
struct UsedAnew {
  explicit UsedAnew(bool remembered) {
    for (Node* node : {&a, &p, &z}) node->subscribe(kAll);
    a.put("any", {{"x", 1}});
    Pair pair{a, p};
    if (remembered) {
      pair.connect(1);
      pair.cut();
    }
    p.put("car", {{"x", 1}});
    Pair with_z{p, z};
    with_z.connect(5);
    p.remove("car");
    with_z.settle();
    with_z.cut();
    p.clock.wall += std::chrono::hours(24 * 31);
    p.clock.time += std::chrono::hours(24 * 31);
    p.engine->on_deadline(p.now());
    EXPECT_EQ(p.engine->tombstones_purged(), 1u);
    pair.connect(2);
    pair.cut();
    a.put("car", {{"new", true}});
    Pair a_z{a, z};
    a_z.connect(6);
  }
  Node a{"a"}, p{"p"}, z{"z"};
};

TEST(Purged, LivesAreNotUsedAgainByWhoHeardOfThem) {
  UsedAnew met(false);
  EXPECT_TRUE(met.a.at("car").alive());
  EXPECT_EQ(met.z.at("car").view(), met.a.at("car").view());
}

TEST(Purged, LivesAreNotUsedAgainByWhoHeardOfThemBehindAFirstFlight) {
  UsedAnew met(true);
  EXPECT_TRUE(met.a.at("car").alive());
  EXPECT_EQ(met.z.at("car").view(), met.a.at("car").view());
}

// desk has deleted what stale still has. New reconciles with desk, which compares living documents, and meets stale
// then; desk does not ask for such documents, so nobody would tell it what new has.
TEST(Deleted, BeforeAReconciliationStaysDeletedWhateverAThirdBringsLater) {
  Node desk{"desk"}, stale{"stale"}, fresh{"new"};
  for (int i = 0; i < 50; ++i) {
    stale.put("old" + std::to_string(i), {{"x", 1}});
    fresh.put("new" + std::to_string(i), {{"x", 2}});
  }
  const SubscriptionId all = desk.subscribe(kAll);
  Pair first{desk, stale};
  first.connect(1);
  first.cut();
  desk.engine->unsubscribe(all, desk.now());
  desk.subscribe("SELECT * FROM cars WHERE x = 7");
  desk.remove("old3");
  (void)desk.drain();
  fresh.subscribe(kAll);
  Pair with_desk{desk, fresh};
  with_desk.connect(2);
  ASSERT_TRUE(fresh.at("old4").alive());
  EXPECT_FALSE(fresh.at("old3").alive());
  with_desk.cut();
  Pair with_stale{fresh, stale};
  with_stale.connect(3);
  EXPECT_FALSE(fresh.at("old3").alive()) << "its cursor says that it knows what desk knows";
}

}  // namespace
}  // namespace fermata::sync
