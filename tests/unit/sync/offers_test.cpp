// What is offered and expected another way: the class that waits, and engines in a triangle.
#include "sync/offers.hpp"

#include "mesh.hpp"

namespace fermata::sync {
namespace {

using std::chrono::milliseconds;

Offer offer_of(const std::string& id, std::uint64_t version) {
  return {"cars", id, version, {1}};
}

TEST(Offers, AFrameCountsOnceAllThatItOfferedHasCome) {
  Offers offers;
  offers.hold({{7, 1, 3, true}}, {offer_of("a", 10), offer_of("b", 20)}, Instant(milliseconds(250)));
  EXPECT_TRUE(offers.reached(20));
  EXPECT_TRUE(offers.take_complete().empty());
  EXPECT_FALSE(offers.reached(99));
  EXPECT_TRUE(offers.reached(10));
  EXPECT_EQ(offers.take_complete(), (std::vector<Range>{{7, 1, 3, true}}));
  EXPECT_TRUE(offers.empty());
  EXPECT_FALSE(offers.deadline());
}

TEST(Offers, ALaterStateOfADocumentIncludesTheEarlierOnesAndNotTheOtherWayRound) {
  Offers offers;
  for (std::uint64_t version = 1; version <= 3; ++version)
    offers.hold({{7, version, version + 1, true}}, {offer_of("a", version)}, Instant(milliseconds(250)));
  EXPECT_TRUE(offers.reached(2));
  EXPECT_EQ(offers.take_complete().size(), 2u);
  EXPECT_FALSE(offers.reached(1));
  EXPECT_FALSE(offers.empty());
  EXPECT_TRUE(offers.reached(3));
  EXPECT_TRUE(offers.empty());
}

TEST(Offers, WhatIsNotWaitedForAnyMoreIsHandedBackWithItsRanges) {
  Offers offers;
  offers.hold({{7, 1, 3, true}}, {offer_of("a", 10), offer_of("b", 20), offer_of("a", 11)}, Instant(milliseconds(1)));
  offers.hold({{7, 3, 4, true}}, {offer_of("a", 30)}, Instant(milliseconds(2)));
  EXPECT_TRUE(offers.reached(20));
  const Offers::Overdue overdue = offers.take_oldest();
  EXPECT_EQ(overdue.ranges.size(), 1u);
  ASSERT_EQ(overdue.offers.size(), 1u);
  EXPECT_EQ(overdue.offers[0].id, "a");
  EXPECT_FALSE(offers.reached(10));
  EXPECT_FALSE(offers.reached(11));
  EXPECT_EQ(offers.deadline(), Instant(milliseconds(2)));
  EXPECT_TRUE(offers.reached(30));
  EXPECT_TRUE(offers.empty());
}

TEST(Offers, TheSameStateOfferedTwiceOrOfTwoDocumentsIsWaitedForInEachFrame) {
  Offers offers;
  offers.hold({{7, 1, 2, true}}, {offer_of("a", 10), offer_of("b", 10)}, Instant(milliseconds(1)));
  offers.hold({{7, 2, 3, true}}, {offer_of("a", 10)}, Instant(milliseconds(2)));
  while (offers.reached(10)) {
  }
  while (!offers.empty()) (void)offers.take_oldest();
  EXPECT_FALSE(offers.reached(10));
  EXPECT_LE(offers.take_complete().size(), 2u);
}

TEST(PassedStates, ForgetsTheOldestBeyondItsCapacity) {
  PassedStates passed(3);
  for (std::uint64_t version : {5u, 6u, 5u, 7u, 8u}) passed.add(version);
  EXPECT_FALSE(passed.contains(5));
  for (std::uint64_t version : {6u, 7u, 8u}) EXPECT_TRUE(passed.contains(version));
}

// Every change of a reaches c through b and directly; which of the two is quicker is settled by the first.
struct TriangleTest : testing::Test {
  TriangleTest() {
    for (Node* node : mesh.nodes) node->subscribe("SELECT * FROM cars");
    a_b = mesh.open(a, b);
    b_c = mesh.open(b, c);
    a_c = mesh.open(a, c);
    mesh.settle();
    a.put("golf", {{"n", 1}});
    mesh.settle();
  }
  [[nodiscard]] Value n_at(Node& node) {
    const Map view = node.at("golf").view();
    const auto n = view.find("n");
    return n == view.end() ? Value() : n->second;
  }

  Node a{"a"}, b{"b"}, c{"c"};
  Mesh mesh{{&a, &b, &c}};
  LinkId a_b = 0, b_c = 0, a_c = 0;
};

TEST_F(TriangleTest, AfterTheFirstChangeOfAnAuthorEachComesOnce) {
  const std::uint64_t at_b = Mesh::received(b);
  const std::uint64_t at_c = Mesh::received(c);
  for (int n = 2; n < 12; ++n) {
    a.put("golf", {{"n", n}});
    mesh.settle();
  }
  EXPECT_EQ(Mesh::received(b), at_b + 10);
  EXPECT_EQ(Mesh::received(c), at_c + 10);
  for (Node* node : mesh.nodes) {
    EXPECT_EQ(n_at(*node), Value(11));
    EXPECT_FALSE(node->engine->unsynced());
  }
}

TEST_F(TriangleTest, SeveralChangesOfOneDocumentInARowPruneNobodyWhoIsNeeded) {
  for (int n = 2; n < 6; ++n) a.put("golf", {{"n", n}});
  mesh.settle();
  const std::uint64_t at_c = Mesh::received(c);
  a.put("golf", {{"n", 9}});
  mesh.settle();
  EXPECT_EQ(n_at(c), Value(9));
  EXPECT_EQ(Mesh::received(c), at_c + 1);
}

TEST_F(TriangleTest, WhatWasOfferedAndComesNoOtherWayIsAskedForAndThenPushed) {
  mesh.freeze(a_c);
  a.put("golf", {{"n", 2}});
  mesh.settle();
  EXPECT_EQ(n_at(c), Value(1)) << "b only offers";
  EXPECT_FALSE(mesh.session(c, b).caught_up);
  EXPECT_FALSE(mesh.session(b, c).remote_caught_up);
  EXPECT_TRUE(b.engine->unsent()) << "what is offered is not received";
  mesh.wait(milliseconds(249));
  EXPECT_EQ(n_at(c), Value(1));
  mesh.wait(milliseconds(1));
  EXPECT_EQ(n_at(c), Value(2));
  EXPECT_TRUE(mesh.session(c, b).caught_up);
  EXPECT_FALSE(b.engine->unsent());
  a.put("golf", {{"n", 3}});
  mesh.settle();
  EXPECT_EQ(n_at(c), Value(3)) << "grafted: no waiting any more";
}

TEST_F(TriangleTest, AnOfferThatWasCutOffComesAgain) {
  mesh.freeze(a_c);
  a.put("golf", {{"n", 2}});
  mesh.settle();
  mesh.cut(a_c);
  mesh.cut(b_c);
  c.store.reset();
  c.engine.reset();
  c.open();
  c.subscribe("SELECT * FROM cars");
  mesh.open(b, c);
  mesh.settle();
  EXPECT_EQ(n_at(c), Value(2));
  EXPECT_FALSE(c.engine->unsynced());
}

TEST_F(TriangleTest, WhoIsLeftWithOneLinkDoesNotWait) {
  mesh.cut(a_c);
  a.put("golf", {{"n", 2}});
  mesh.settle();
  EXPECT_EQ(n_at(c), Value(2));
}

TEST_F(TriangleTest, WhileWeDrainAnOpenOfferIsNeitherAskedForNorConfirmed) {
  mesh.freeze(a_c);
  a.put("golf", {{"n", 2}});
  mesh.settle();
  c.engine->drain();
  mesh.wait(milliseconds(300));
  EXPECT_EQ(n_at(c), Value(1));
  EXPECT_TRUE(b.engine->unsent());
  c.engine->goodbye(std::nullopt, c.now());
  mesh.settle();
  mesh.open(b, c);
  mesh.settle();
  EXPECT_EQ(n_at(c), Value(2));
}

TEST_F(TriangleTest, ConcurrentChangesOfOneDocumentEndEqualWithoutWaiting) {
  b.put("golf", {{"b", 1}});
  c.put("golf", {{"c", 1}});
  mesh.settle();
  for (int round = 2; round < 6; ++round) {
    a.put("golf", {{"n", round}});
    b.put("golf", {{"b", round}});
    c.put("golf", {{"c", round}});
    mesh.settle();
  }
  mesh.wait(milliseconds(300));
  for (Node* node : mesh.nodes) {
    EXPECT_EQ(node->at("golf").fingerprint(), a.at("golf").fingerprint());
    EXPECT_FALSE(node->engine->unsynced());
  }
}

TEST_F(TriangleTest, ADeletionIsNeverOnlyOffered) {
  mesh.freeze(a_c);
  a.remove("golf");
  mesh.settle();
  EXPECT_FALSE(c.at("golf").alive());
}

}  // namespace
}  // namespace fermata::sync
