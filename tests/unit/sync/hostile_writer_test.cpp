// A peer that speaks correctly and means ill: what it writes, names and asks for costs others neither their store nor
// their sessions, and us neither the loop nor memory without bound.
#include <fmt/format.h>

#include "pair.hpp"
#include "sync/changes_writer.hpp"
#include "sync/message_reader.hpp"

namespace fermata::sync {
namespace {

constexpr LinkId kStranger = 9;

crdt::Register written(crdt::Path path, crdt::Dot dot, std::uint64_t life = 1) {
  crdt::Register r;
  r.path = std::move(path);
  r.value = 1;
  r.dot = dot;
  r.stamp = {1u << 20};
  r.life = life;
  return r;
}

Bytes changes_of(const std::vector<crdt::Delta>& deltas) {
  ChangesWriter changes;
  for (const crdt::Delta& delta : deltas) EXPECT_TRUE(changes.add(delta, std::nullopt));
  return changes.take(1, "", {});
}

std::optional<Error> closing(Node& node) {
  std::optional<Error> closed;
  for (Action& action : node.drain()) {
    if (auto* close = std::get_if<CloseLink>(&action)) closed = close->why;
  }
  return closed;
}

struct HostileWriter : testing::Test {
  void greet(Node& node, std::vector<Wanted> subscriptions = {}) {
    (void)node.drain();
    node.engine->link_opened({kStranger, "stranger", "there", false}, node.now());
    node.engine->frame_received(kStranger, encode(Hello{kSpoken, 0, "e1", "stranger", 5, std::move(subscriptions)}),
                                node.now());
    (void)node.drain();
  }
  void hear(Node& node, const Bytes& frame) { node.engine->frame_received(kStranger, frame, node.now()); }
  Node a{"a"}, b{"b"};
};

TEST_F(HostileWriter, AMapAtTheDeepestPathLeavesTheStoreReadable) {
  for (Node* node : {&a, &b}) node->subscribe(kAll);
  a.put("good", {{"x", 1}});
  greet(a);
  crdt::Register map = written(crdt::Path(kMaxDepth, "p"), {7, 1});
  map.kind = crdt::RegisterKind::Map;
  map.value = Value();
  hear(a, changes_of({{"cars", "bad", 1, {map}, true}}));
  EXPECT_FALSE(closing(a).has_value());
  Pair pair{a, b};
  pair.connect(1);
  EXPECT_FALSE(pair.closed.has_value()) << pair.closed->message;
  EXPECT_TRUE(b.at("good").alive());
  EXPECT_EQ(b.at("bad").fingerprint(), a.at("bad").fingerprint());
}

// It seems to be of the last life and to be known, so it is buried.
TEST_F(HostileWriter, ADocumentOfTheLastLifeIsBuriedAndEndsNoHonestSession) {
  for (Node* node : {&a, &b}) node->subscribe(kAll);
  a.put("mine", {{"x", 1}});
  greet(b);
  constexpr std::uint64_t kLast = crdt::kMaxLife - 1;
  hear(b, changes_of({{"cars", "undead", kLast, {written({"x"}, {a.store->actor(), 1}, kLast)}, true}}));
  EXPECT_FALSE(closing(b).has_value());
  b.engine->link_closed(kStranger, b.now());
  Pair pair{a, b};
  pair.connect(1);
  EXPECT_FALSE(pair.closed.has_value()) << pair.closed->message;
  EXPECT_TRUE(b.at("mine").alive());
  for (Node* node : {&a, &b}) EXPECT_EQ(node->at("undead").life(), crdt::kMaxLife);
}

TEST_F(HostileWriter, AKnownDocumentLargerThanAnyMayBeWrittenIsBuried) {
  for (Node* node : {&a, &b}) node->subscribe(kAll);
  a.put("mine", {{"x", 1}});
  greet(a);
  crdt::Register large = written({"x"}, {a.store->actor(), 1}, 3);
  large.value = Bytes(store::kMaxDocumentBytes);
  hear(a, changes_of({{"cars", "large", 3, {large}, true}}));
  EXPECT_FALSE(closing(a).has_value());
  EXPECT_EQ(a.at("large").life(), 4u);
}

TEST_F(HostileWriter, ATombstoneOfAHugeLifeDoesNotUseUpTheLivesOfOtherNames) {
  a.subscribe(kAll);
  a.put("mine", {{"x", 1}});
  greet(a);
  constexpr std::uint64_t kLast = crdt::kMaxLife - 1;
  hear(a, changes_of({{"cars", "ghost", kLast + 1, {written({"x"}, {a.store->actor(), 1}, kLast)}, true}}));
  EXPECT_FALSE(closing(a).has_value());
  a.engine->link_closed(kStranger, a.now());
  a.clock.time += std::chrono::hours(24 * 31);
  a.clock.wall += std::chrono::hours(24 * 31);
  a.engine->on_deadline(a.now());
  (void)a.drain();
  a.put("new", {{"x", 1}});
  EXPECT_EQ(a.at("new").life(), 1u);
}

TEST_F(HostileWriter, ADocumentWithoutANameIsMalformedAndItsSenderRefused) {
  greet(a);
  hear(a, changes_of({{"cars", "", 1, {written({"x"}, {7, 1})}, true}}));
  const auto closed = closing(a);
  ASSERT_TRUE(closed.has_value());
  EXPECT_EQ(closed->code, ErrorCode::Malformed) << closed->message;
  a.engine->link_opened({kStranger + 1, "stranger", "there", false}, a.now());
  EXPECT_TRUE(a.engine->sessions().empty());
}

// Else whoever names one after the other has all of them kept.
TEST_F(HostileWriter, DigestsOfSubscriptionsThatWeDoNotHaveAreNotKept) {
  a.subscribe(kAll);
  a.put("mine", {{"x", 1}});
  greet(a, {{2, "SELECT * FROM bikes", "", {}}});
  hear(a, encode(Ack{1, {{2, {1, 1}}}}));
  const std::uint64_t cars = query::Predicate::parse(kAll, {})->key();
  const std::uint64_t bikes = query::Predicate::parse("SELECT * FROM bikes", {})->key();
  const Bytes digest = encode(DigestOf{bikes, 5, 1, {}, {{1, 2}}});
  hear(a, digest);
  a.subscribe("SELECT * FROM bikes");
  hear(a, ChangesWriter().take(5, "", {{cars, 0, 5, true}, {bikes, 0, 5, true}}));
  EXPECT_FALSE(closing(a).has_value());
  EXPECT_EQ(a.store->known("bikes")->count(1), 0u);
  hear(a, digest);
  EXPECT_EQ(a.store->known("bikes")->count(1), 1u) << "now it counts";
}

// What is offered in a frame times the frame's ranges would be hundreds of millions.
TEST_F(HostileWriter, OffersAreGraftedOnceForEachSubscriptionAndAuthor) {
  a.subscribe(kAll);
  greet(a);
  const std::uint64_t key = query::Predicate::parse(kAll, {})->key();
  ChangesWriter changes;
  for (std::size_t i = 0; i < kMaxOffersPerFrame; ++i)
    changes.offer({"cars", fmt::format("d{}", i), 77, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}});
  hear(a, changes.take(1, "", std::vector<Range>(kMaxRangesPerFrame, Range{key, 9, 10, false})));
  MessageReader reader;
  std::size_t branches = 0, names = 0;
  std::vector<std::size_t> ranges;
  for (Action& action : a.drain()) {
    auto message = reader.read(std::get<SendFrame>(action).frame);
    ASSERT_TRUE(message.has_value()) << message.error().message;
    if (const auto* graft = std::get_if<Graft>(&*message)) branches += graft->branches.size();
    if (const auto* want = std::get_if<Want>(&*message)) {
      names += want->names.size();
      ranges.push_back(want->ranges.size());
    }
  }
  EXPECT_EQ(branches, kMaxAuthorsPerOffer);
  EXPECT_EQ(names, kMaxOffersPerFrame);
  EXPECT_EQ(ranges, std::vector<std::size_t>{kMaxRangesPerFrame});
}

TEST_F(HostileWriter, AskingForManyNamesTakesTurns) {
  a.put("mine", {{"x", 1}});
  greet(a);
  std::vector<DocumentName> names(kMaxNamesPerFrame - 1, {"cars", "absent"});
  names.push_back({"cars", "mine"});
  hear(a, encode(Want{{}, names}));
  std::size_t turns = 0;
  for (; a.session().documents_sent == 0; ++turns) {
    ASSERT_EQ(*a.engine->next_deadline(), a.now()) << "at once, when others have had their turn";
    a.engine->on_deadline(a.now());
    (void)a.drain();
    ASSERT_LT(turns, 100u);
  }
  EXPECT_GE(turns, 4u);
  EXPECT_NE(*a.engine->next_deadline(), a.now());
}

}  // namespace
}  // namespace fermata::sync
