// Subscriptions that end and begin anew, also while both sides are finding out what they lack.
#include <fmt/format.h>

#include <algorithm>

#include "pair.hpp"
#include "sync/message_reader.hpp"

namespace fermata::sync {
namespace {

void put_numbered(Node& node, const std::string& prefix, int count, const std::string& collection = "cars") {
  auto transaction = node.store->begin().value();
  for (int i = 0; i < count; ++i)
    ASSERT_TRUE(transaction.insert(collection, fmt::format("{}{}", prefix, i), {{"x", i}}));
  ASSERT_TRUE(transaction.commit());
}

struct Resubscribing : testing::Test {
  // Lets all deadlines of the next while pass.
  void wait_quietly() {
    for (int i = 0; i < 4; ++i) {
      for (Node* node : {&a, &b}) {
        node->clock.time += std::chrono::milliseconds(500);
        node->engine->on_deadline(node->now());
      }
      pair.settle();
    }
  }
  Node a{"a"}, b{"b"};
  Pair pair{a, b};
};

TEST_F(Resubscribing, ASubscriptionThatEndsWhileItIsReconciledLetsTheNextOneGoOn) {
  for (Node* node : {&a, &b}) {
    put_numbered(*node, node->options.device, 200);
    put_numbered(*node, node->options.device, 200, "bikes");
  }
  const SubscriptionId cars = b.subscribe("SELECT * FROM cars");
  const SubscriptionId bikes = b.subscribe("SELECT * FROM bikes");
  pair.open();
  (void)pair.exchange();  // HELLOs
  (void)pair.exchange();  // STANDs: b begins with one of the two
  const bool cars_first = query::Predicate::parse("SELECT * FROM cars", {})->key() <
                          query::Predicate::parse("SELECT * FROM bikes", {})->key();
  b.engine->unsubscribe(cars_first ? cars : bikes, b.now());
  pair.settle();
  EXPECT_FALSE(b.engine->unsynced());
  EXPECT_EQ(b.store->digest(cars_first ? "bikes" : "cars").value().digest.count, 400u);
}

TEST_F(Resubscribing, WhileTheRemoteAsksHowToGoOnDoesNotEndTheSession) {
  put_numbered(a, "a", 40);
  b.put("mine", {{"x", -1}});
  pair.connect();
  const SubscriptionId id = b.subscribe("SELECT * FROM cars WHERE x >= 0");
  (void)pair.exchange();  // SUBSCRIBE is there, STAND on its way
  b.engine->unsubscribe(id, b.now());
  b.subscribe("SELECT * FROM cars WHERE x >= 0");
  pair.settle();
  EXPECT_FALSE(pair.closed.has_value()) << pair.closed->message;
  EXPECT_EQ(b.store->digest("cars").value().digest.count, 41u);
}

// What is under way for the one that has ended must not count for the one that begins.
TEST_F(Resubscribing, IsAnotherSubscriptionForTheRemoteAndGoesOnFromTheSameCursor) {
  const SubscriptionId id = b.subscribe("SELECT * FROM cars");
  put_numbered(a, "a", 5);
  pair.connect();
  b.engine->unsubscribe(id, b.now());
  b.subscribe("SELECT * FROM cars");
  std::vector<Message> said;
  MessageReader reader;
  for (Action& action : b.drain()) said.push_back(reader.read(std::get<SendFrame>(action).frame).value());
  ASSERT_EQ(said.size(), 2u);
  const Wanted anew = std::get<Subscribe>(said[1]).subscription;
  EXPECT_NE(std::get<Unsubscribe>(said[0]).id, anew.id);
  EXPECT_EQ(anew.position, (Position{5, 5}));
}

TEST_F(Resubscribing, ToQueryAfterQueryLeavesNoDigestsBehind) {
  a.put("car", {{"x", 1}, {"m", true}});
  pair.connect();
  // Both ask for the same, so a digest is said; one after the other, never more than one at a time.
  for (int i = 0; i < 70; ++i) {
    const std::string query = fmt::format("SELECT * FROM cars WHERE m = true AND x < {}", i + 100);
    const SubscriptionId of_a = a.subscribe(query);
    const SubscriptionId of_b = b.subscribe(query);
    pair.settle();
    a.put("car", {{"x", i}});
    pair.settle();
    wait_quietly();
    a.engine->unsubscribe(of_a, a.now());
    b.engine->unsubscribe(of_b, b.now());
    pair.settle();
  }
  const std::string query = "SELECT * FROM cars WHERE m = true AND x < 1000";
  for (Node* node : {&a, &b}) node->subscribe(query);
  pair.settle();
  wait_quietly();
  ASSERT_TRUE(b.store->evict("cars", "car"));  // lost in whatever way
  (void)b.drain();
  a.put("other", {{"x", 1}, {"m", true}});
  pair.settle();
  wait_quietly();
  EXPECT_TRUE(b.at("car").alive()) << "the digests were not compared";
}

// After a loss of the store every one of a device's many subscriptions has to be reconciled.
TEST_F(Resubscribing, ToMoreThanMayReconcileUnaskedIsNoAttack) {
  for (Node* node : {&a, &b}) put_numbered(*node, node->options.device, 33);
  for (int i = 0; i < 260; ++i) b.subscribe(fmt::format("SELECT * FROM cars WHERE x >= {}", -i));
  pair.connect();
  EXPECT_FALSE(pair.closed.has_value()) << pair.closed->message;
  EXPECT_FALSE(b.engine->unsynced());
  EXPECT_EQ(b.store->digest("cars").value().digest.count, 66u);
}

}  // namespace
}  // namespace fermata::sync
