// What is stored of how far our subscriptions have come.
#include <fmt/format.h>

#include "mesh.hpp"
#include "pair.hpp"
#include "sync/changes_writer.hpp"
#include "sync/message_reader.hpp"

namespace fermata::sync {
namespace {

Bytes hello(std::uint64_t head) {
  return encode(Hello{kSpoken, 0, "e1", "stranger", head, {}});
}

TEST(Cursors, AreOfOneOfTwoLinksToTheSameStoreNotMadeOfBoth) {
  Node victim{"victim"};
  victim.subscribe(kAll);
  const std::uint64_t key = query::Predicate::parse(kAll, {})->key();
  const auto say = [&](LinkId link, const Bytes& frame) { victim.engine->frame_received(link, frame, victim.now()); };
  ChangesWriter first, second;
  victim.engine->link_opened({1, "stranger", "there", false}, victim.now());
  say(1, hello(160));
  say(1, first.take(160, "", {{key, 0, 100, false}}));
  victim.engine->link_opened({2, "stranger", "there", false}, victim.now());
  say(2, hello(160));
  say(2, second.take(160, "", {{key, 100, 160, true}}));
  // A document changed at 165 and at 180: the walk on the first link finds it at 180, beyond this range.
  say(1, first.take(180, "", {{key, 100, 170, false}}));
  victim.engine->link_closed(1, victim.now());
  victim.engine->link_closed(2, victim.now());
  (void)victim.drain();
  victim.engine->link_opened({3, "stranger", "there", false}, victim.now());
  std::vector<Action> actions = victim.drain();
  ASSERT_FALSE(actions.empty());
  MessageReader reader;
  auto message = reader.read(std::get<SendFrame>(actions.front()).frame).value();
  const Position stated = std::get<Hello>(message).subscriptions.at(0).position;
  EXPECT_LE(stated.base, 160u) << "vouches for a change at 165 that neither link brought; seq " << stated.seq;
}

struct ManySubscriptions {
  static constexpr std::size_t kCount = 100;
  ManySubscriptions() {
    for (std::size_t i = 0; i < kCount; ++i) b.subscribe(fmt::format("SELECT * FROM cars WHERE x = {}", i));
    a.put("first", {{"x", 1}});
    pair.connect();
  }
  // How many of b's cursors into a's log stand at its end in the database.
  [[nodiscard]] std::size_t stored() {
    std::size_t count = 0;
    for (std::size_t i = 0; i < kCount; ++i) {
      const auto key = query::Predicate::parse(fmt::format("SELECT * FROM cars WHERE x = {}", i), {})->key();
      if (b.store->cursor(a.store->epoch(), key).value() == a.store->last_local_seq()) ++count;
    }
    return count;
  }
  Node a{"a"}, b{"b"};
  Pair pair{a, b};
};

TEST(Cursors, OfManySubscriptionsAreStoredAFewWithEachFrame) {
  ManySubscriptions many;
  many.a.put("first", {{"x", 2}});
  many.pair.settle();
  EXPECT_TRUE(many.b.at("first").alive());
  EXPECT_LE(many.stored(), EngineOptions{}.cursors_per_frame);
  EXPECT_GT(many.stored(), 0u);
}

TEST(Cursors, OfManySubscriptionsAreAllStoredWhenTheSessionEnds) {
  ManySubscriptions many;
  many.a.put("first", {{"x", 2}});
  many.pair.settle();
  many.pair.cut();
  EXPECT_EQ(many.stored(), many.kCount);
}

TEST(Cursors, ThatWereNotStoredBeforeACrashAreMadeUpFor) {
  ManySubscriptions many;
  for (int i = 0; i < 30; ++i) many.a.put(fmt::format("car{}", i), {{"x", i}});
  many.pair.settle();
  many.b.open();  // the old engine and what it knew are gone, its session never ended
  for (std::size_t i = 0; i < many.kCount; ++i) many.b.subscribe(fmt::format("SELECT * FROM cars WHERE x = {}", i));
  many.a.engine->link_closed(1, many.a.now());
  (void)many.a.drain();
  many.a.put("car7", {{"x", 8}});
  many.pair.connect(2);
  EXPECT_EQ(many.b.at("car7").view(), (Map{{"x", 8}}));
  EXPECT_EQ(many.b.engine->repairs() + many.a.engine->repairs(), 0u);
  many.pair.cut();
  EXPECT_EQ(many.stored(), many.kCount);
}

TEST(Subscriptions, WhoseTextsDoNotFitIntoAHelloAreRefused) {
  Node a{"a"};
  const std::string filler(65'000, 'y');
  std::size_t taken = 0;
  for (; taken < 300; ++taken) {
    auto predicate = query::Predicate::parse(fmt::format("SELECT * FROM cars WHERE x = '{}{}'", taken, filler), {});
    const Status allowed = a.engine->may_subscribe(*predicate);
    if (!allowed) {
      EXPECT_EQ(allowed.error().code, ErrorCode::LimitExceeded);
      break;
    }
    a.engine->subscribe(*std::move(predicate), a.now());
  }
  EXPECT_LT(taken, 300u);
  a.engine->link_opened({1, "stranger", "there", false}, a.now());
  std::vector<Action> actions = a.drain();
  ASSERT_FALSE(actions.empty());
  EXPECT_LE(std::get<SendFrame>(actions.front()).frame.size(), kMaxFrame);
}

TEST(Parts, OfADocumentThatNoFrameHoldsWaitForTheWindow) {
  Node a{"a"}, b{"b"}, d{"d"};
  for (Node* node : {&a, &b, &d}) node->subscribe(kAll);
  a.put("car", {{"x", 1}});
  Pair a_b{a, b};
  a_b.connect(1);
  a_b.cut();
  // Offline, each adds a picture to the same document.
  constexpr std::size_t kPicture = 12u << 20;
  SeededRandom random(1);
  for (Node* node : {&a, &b}) {
    Bytes picture(kPicture);
    random.fill(picture);
    node->put("car", {{node->options.device, picture}});
  }
  a_b.connect(2);
  a_b.cut();
  ASSERT_EQ(a.at("car").view().size(), 3u);
  a.put("small", {{"x", 2}});
  Pair a_d{a, d};
  a_d.open(5);
  std::size_t largest = 0;
  for (std::size_t said = 1, before = 0; said != 0; before = a_d.bytes) {
    said = a_d.exchange();
    largest = std::max(largest, a_d.bytes - before);
  }
  EXPECT_LT(largest, 2 * kPicture) << "both pictures were on their way at once";
  EXPECT_EQ(d.at("car").view(), a.at("car").view());
  EXPECT_EQ(d.at("small").view(), a.at("small").view());
  EXPECT_EQ(a.engine->repairs() + d.engine->repairs(), 0u);
  EXPECT_TRUE(d.session().caught_up);
}

TEST(Offers, AreAskedForThoughTheWalkerNeverComesToAnEnd) {
  Node v{"v"}, b{"b"};
  v.subscribe(kAll);
  for (int i = 0; i < 50; ++i) b.put(fmt::format("b{}", i), {{"x", i}});
  (void)b.drain();
  // The walker claims to have much more, and says a little of it all the time.
  v.engine->link_opened({9, "walker", "there", false}, v.now());
  v.engine->frame_received(9, hello(1u << 30), v.now());
  (void)v.drain();
  ChangesWriter changes;
  Mesh mesh{{&v, &b}};
  mesh.open(v, b);
  mesh.settle();
  for (std::uint64_t i = 1; i < 200 && !v.at("b0").exists(); ++i) {
    crdt::Document drop;
    ASSERT_TRUE(drop.insert({{"x", 1}}, {{7, i}, {1u << 20}, i}));
    auto delta = *drop.delta_since(0, 0);
    delta.collection = "cars";
    delta.id = fmt::format("drop{}", i);
    delta.whole = true;
    ASSERT_TRUE(changes.add(delta, std::nullopt));
    v.engine->frame_received(9, changes.take(1u << 30, "", {}), v.now());
    mesh.wait(std::chrono::milliseconds(200));
  }
  EXPECT_TRUE(v.at("b0").exists());
}

}  // namespace
}  // namespace fermata::sync
