// Frames that no honest peer sends. The engine must end the session with a reason and stay itself.
#include <cstdlib>

#include "base/cbor.hpp"
#include "pair.hpp"
#include "sync/changes_writer.hpp"
#include "sync/message_reader.hpp"
#include "sync/reconcile.hpp"

namespace fermata::sync {
namespace {

struct Victim {
  Victim() {
    node.put("bmw", {{"x", 1}, {"y", 2}});
    node.subscribe("SELECT * FROM cars WHERE x = 1");
    (void)node.drain();
  }
  // Opens a link, lets the stranger say this, and tells how the link was closed, if it was.
  std::optional<Error> hears(const std::vector<Bytes>& frames) {
    // Somebody else each time: whoever has broken the protocol is not listened to for a while.
    const DeviceId device = "stranger " + std::to_string(++link);
    node.engine->link_opened({link, device, "there", false}, node.now());
    for (const Bytes& frame : frames) node.engine->frame_received(link, frame, node.now());
    std::optional<Error> closed;
    for (Action& action : node.drain()) {
      if (auto* close = std::get_if<CloseLink>(&action)) closed = close->why;
    }
    node.engine->link_closed(link, node.now());
    return closed;
  }
  Node node{"victim"};
  LinkId link = 0;
};

Bytes hello(std::vector<Wanted> subscriptions = {}) {
  return encode(Hello{kSpoken, 0, "e1", "stranger", 5, std::move(subscriptions)});
}

ErrorCode code_of(const std::optional<Error>& error) {
  return error ? error->code : ErrorCode::Unsupported;
}

TEST(HostileFrames, BytesThatAreNoMessageEndTheSession) {
  Victim victim;
  for (const Bytes& frame : {Bytes{}, Bytes{0x00}, Bytes{0x80}, Bytes{0xff}, Bytes{0x9f, 0x00}, Bytes{0x81, 0x61, 0x41},
                             Bytes{0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, Bytes{0x81, 0x06}}) {
    const auto closed = victim.hears({hello(), frame});
    ASSERT_TRUE(closed.has_value());
    EXPECT_TRUE(closed->code == ErrorCode::Malformed || closed->code == ErrorCode::LimitExceeded) << closed->message;
  }
}

TEST(HostileFrames, AnythingBeforeHelloEndsTheSession) {
  Victim victim;
  EXPECT_EQ(code_of(victim.hears({encode(Ping{1})})), ErrorCode::Protocol);
  EXPECT_EQ(code_of(victim.hears({hello(), hello()})), ErrorCode::Protocol);
}

Bytes hello_of(std::initializer_list<std::uint64_t> versions, std::string_view behind) {
  CborWriter out;
  out.array(2 + versions.size());
  out.uint(0);
  for (const std::uint64_t version : versions) out.uint(version);
  out.text(behind);
  return out.take();
}

TEST(HostileFrames, APeerWithoutAVersionInCommonIsToldSo) {
  Victim victim;
  const auto older = victim.hears({hello_of({1}, "an epoch, in version 1")});
  ASSERT_EQ(code_of(older), ErrorCode::VersionMismatch);
  EXPECT_NE(older->message.find("1 to 1"), std::string::npos) << older->message;
  const auto newer = victim.hears({hello_of({99, 98}, "whatever comes later")});
  ASSERT_EQ(code_of(newer), ErrorCode::VersionMismatch);
  EXPECT_NE(newer->message.find("98 to 99"), std::string::npos) << newer->message;
}

TEST(HostileFrames, ALaterVersionThatStillSpeaksOursMaySayMoreInHello) {
  CborWriter out;
  out.array(10);
  for (const std::uint64_t field : {0u, 99u, 2u, 0u}) out.uint(field);
  out.text("e1");
  out.text("of tomorrow");
  out.uint(5);
  out.array(0);
  out.array(1);
  out.text("something");
  out.null();
  Victim victim;
  victim.node.engine->link_opened({77, "stranger", "there", false}, victim.node.now());
  victim.node.engine->frame_received(77, out.view(), victim.node.now());
  ASSERT_EQ(victim.node.engine->sessions().size(), 1u);
  EXPECT_EQ(victim.node.session().name, "of tomorrow");
}

TEST(HostileFrames, AMessageFromTheFutureIsSkippedIfItMayBe) {
  Victim victim;
  CborWriter skippable;
  skippable.array(2);
  skippable.uint(64);
  skippable.text("news");
  EXPECT_FALSE(victim.hears({hello(), skippable.take()}).has_value());
  CborWriter needed;
  needed.array(2);
  needed.uint(63);
  needed.text("news");
  EXPECT_EQ(code_of(victim.hears({hello(), needed.take()})), ErrorCode::Protocol);
}

TEST(HostileFrames, ASubscriptionThatMakesNoSenseEndsTheSession) {
  Victim victim;
  for (const char* query :
       {"", "SELECT", "DELETE FROM cars", "SELECT * FROM cars ORDER BY x", "SELECT * FROM cars WHERE x = :y"}) {
    EXPECT_EQ(code_of(victim.hears({hello({{1, query, "", {}}})})), ErrorCode::Protocol) << query;
    EXPECT_EQ(code_of(victim.hears({hello(), encode(Subscribe{{1, query, "", {}}})})), ErrorCode::Protocol) << query;
  }
}

TEST(HostileFrames, TooManySubscriptionsEndTheSession) {
  Victim victim;
  std::vector<Bytes> frames{hello()};
  for (std::uint64_t i = 0; i <= EngineOptions().max_subscriptions; ++i)
    frames.push_back(encode(Subscribe{{i, "SELECT * FROM cars WHERE x = " + std::to_string(i), "", {}}}));
  EXPECT_EQ(code_of(victim.hears(frames)), ErrorCode::LimitExceeded);
}

TEST(HostileFrames, AcknowledgingWhatWasNeverSentEndsTheSession) {
  Victim victim;
  EXPECT_EQ(code_of(victim.hears({hello(), encode(Ack{7, {}})})), ErrorCode::Protocol);
  EXPECT_EQ(code_of(victim.hears({hello(), encode(Ack{0, {{42, {}}}})})), ErrorCode::Protocol);
  EXPECT_EQ(code_of(victim.hears({hello(), encode(Unsubscribe{42})})), ErrorCode::Protocol);
}

TEST(HostileFrames, NamesLongerThanAnyDocumentsEndTheSession) {
  Victim victim;
  const std::string id(513, 'i');
  const std::string collection(129, 'c');
  EXPECT_EQ(code_of(victim.hears({hello(), encode(Want{{}, {{"cars", id}}})})), ErrorCode::LimitExceeded);
  EXPECT_EQ(code_of(victim.hears({hello(), encode(Want{{}, {{collection, "bmw"}}})})), ErrorCode::LimitExceeded);
  crdt::Document document;
  ASSERT_TRUE(document.insert({{"x", 1}}, {{7, 1}, {1u << 20}, 1}));
  auto delta = *document.delta_since(0, 0);
  delta.collection = "cars";
  delta.id = id;
  ChangesWriter changes;
  ASSERT_TRUE(changes.add(delta, std::nullopt));
  EXPECT_EQ(code_of(victim.hears({hello(), changes.take(1, "", {})})), ErrorCode::LimitExceeded);
}

TEST(HostileFrames, RangesWithEndlessHolesEndTheSession) {
  Victim victim;
  const std::uint64_t key = query::Predicate::parse("SELECT * FROM cars WHERE x = 1", {})->key();
  std::vector<Bytes> frames{hello()};
  for (std::uint64_t i = 0; i < 2000; ++i)
    frames.push_back(ChangesWriter().take(1, "", {{key, 10 * i + 5, 10 * i + 6, true}}));
  EXPECT_EQ(code_of(victim.hears(frames)), ErrorCode::LimitExceeded);
}

TEST(HostileFrames, ARangeForASubscriptionThatWeNeverHadIsIgnored) {
  Victim victim;
  EXPECT_FALSE(victim.hears({hello(), ChangesWriter().take(1, "", {{4711, 0, 6, true}})}).has_value());
}

TEST(HostileFrames, ASubscriptionWithACursorBeyondOurLogStartsFromTheBeginning) {
  Victim victim;
  const store::Epoch epoch = victim.node.store->epoch();
  victim.node.engine->link_opened({90, "stranger", "there", false}, victim.node.now());
  victim.node.engine->frame_received(90, hello({{1, "SELECT * FROM cars", epoch, {1u << 30, 1u << 30}}}),
                                     victim.node.now());
  (void)victim.node.drain();
  EXPECT_EQ(victim.node.session().documents_sent, 1u);
}

// One valid frame of each kind, to start mutating from.
std::vector<Bytes> valid_frames() {
  crdt::Document document;
  (void)document.insert({{"x", 1}, {"n", Map{{"z", 2}}}}, {{7, 1}, {1u << 20}, 1});
  auto delta = *document.delta_since(0, 0);
  delta.collection = "cars";
  delta.id = "bmw";
  const std::uint64_t key = query::Predicate::parse("SELECT * FROM cars WHERE x = 1", {})->key();
  ChangesWriter changes;
  (void)changes.add(delta, 99);
  changes.name({"cars", "bmw"});
  changes.name({"cars", "audi"});
  return {hello({{3, "SELECT * FROM cars", "e", {1, 2}}}),
          encode(Subscribe{{4, "SELECT * FROM cars WHERE x = 2", "e", {}}}),
          encode(Unsubscribe{3}),
          changes.take(9, "e9", {{key, 0, 4, true}}),
          encode(Want{{{3, 0, 4, true}}, {{"cars", "bmw"}, {"cups", "red"}}}),
          encode(Ack{1, {{3, {1, 2}}}}),
          encode(Ping{1}),
          encode(Pong{1}),
          encode(Goodbye{"bye", 5}),
          encode(DigestOf{3, 1, 0, {1, 2, 3}, {{4, 5}}}),
          encode(Stand{3, true, 1, 2, crdt::Digest{1, 2, 3}}),
          encode(Match{3, 9, Match::How::Symbols, 0, 8}),
          encode(Match{3, 9, Match::How::Items, 0, 0}),
          encode(Resolve{3, 9, {1, 2}, {"bmw", "opel"}}),
          encode(Match{3, 9, Match::How::Done, 0, 0})};
}

TEST(HostileFrames, ReconciliationsThatWereNotBegunEndTheSession) {
  const Bytes greeting = hello({{3, "SELECT * FROM cars", "e", {}}});
  const auto code = [&](const std::vector<Bytes>& frames) {
    std::vector<Bytes> all{greeting};
    all.insert(all.end(), frames.begin(), frames.end());
    return code_of(Victim().hears(all));
  };
  EXPECT_EQ(code({encode(Match{3, 9, Match::How::Done, 0, 0})}), ErrorCode::Protocol);
  EXPECT_EQ(code({encode(Match{3, 9, Match::How::Walk, 0, 0})}), ErrorCode::Protocol);
  EXPECT_EQ(code({encode(Match{3, 9, Match::How::Equal, 0, 0})}), ErrorCode::Protocol);
  EXPECT_EQ(code({encode(Resolve{3, 9, {1}, {}})}), ErrorCode::Protocol);
  EXPECT_EQ(code({encode(Match{3, 9, Match::How::Symbols, 5, 1})}), ErrorCode::Protocol) << "from the middle";
  EXPECT_EQ(code({encode(Match{3, 9, Match::How::Symbols, 0, 1u << 30})}), ErrorCode::Protocol) << "too many";
}

TEST(HostileFrames, AnswersThatNobodyAskedForMeanNothing) {
  const RunHead head{3, 9, 1, {1, 2, 3}};
  EXPECT_FALSE(Victim().hears({hello({{3, "SELECT * FROM cars", "e", {}}}), encode(Symbols{head, 0, Bytes(13)}),
                               encode(Items{head, 0, 9, Bytes{1}}), encode(Resolved{3, 9, {0}}),
                               encode(Stand{77, true, 1, 2, std::nullopt}), encode(DigestOf{77, 1, 0, {}, {}}),
                               encode(Match{77, 9, Match::How::Done, 0, 0}), encode(Resolve{77, 9, {1}, {}})}));
}

TEST(HostileFrames, ReconciliationsWithoutEndEndTheSession) {
  std::vector<Bytes> frames{hello({{3, "SELECT * FROM cars", "e", {}}})};
  for (std::uint64_t run = 1; run <= 300; ++run) frames.push_back(encode(Match{3, run, Match::How::Symbols, 0, 1}));
  EXPECT_EQ(code_of(Victim().hears(frames)), ErrorCode::LimitExceeded);
}

struct Feeder {
  Feeder() {
    auto transaction = node.store->begin().value();
    for (int i = 0; i < 300; ++i)
      EXPECT_TRUE(transaction.insert("cars", "v" + std::to_string(i), {{"x", i}}).has_value());
    EXPECT_TRUE(transaction.commit().has_value());
    node.subscribe("SELECT * FROM cars");
    node.engine->link_opened({1, "stranger", "there", false}, node.now());
    say(hello());
  }
  void say(const Bytes& frame) {
    node.engine->frame_received(1, frame, node.now());
    MessageReader reader;
    for (Action& action : node.drain()) {
      if (auto* close = std::get_if<CloseLink>(&action)) {
        closed = close->why;
      } else if (auto message = reader.read(std::get<SendFrame>(action).frame)) {
        if (const auto* match = std::get_if<Match>(&*message)) asked = *match;
      }
    }
  }
  // That we hold so many documents, none of which the node has.
  void stand(std::uint64_t count) { say(encode(Stand{key, false, 1, count, crdt::Digest{count, 2, 3}})); }

  Node node{"victim"};
  const std::uint64_t key = query::Predicate::parse("SELECT * FROM cars", {})->key();
  Match asked;  // latest
  std::optional<Error> closed;
};

TEST(HostileFeeder, MayNotMakeUsBeginAgainAndAgain) {
  Feeder feeder;
  int stands = 0;
  for (; stands < 1000 && !feeder.closed; ++stands) feeder.stand(500);
  EXPECT_EQ(code_of(feeder.closed), ErrorCode::LimitExceeded);
  EXPECT_LE(stands, 258);
}

TEST(HostileFeeder, ListsNoMoreItemsThanItSaidItHas) {
  Feeder feeder;
  feeder.stand(10);
  ASSERT_EQ(static_cast<int>(feeder.asked.how), static_cast<int>(Match::How::Items));
  const RunHead head{feeder.key, feeder.asked.run, 1, {10, 2, 3}};
  feeder.say(encode(Items{head, 0, 10, Bytes(10)}));
  ASSERT_FALSE(feeder.closed.has_value()) << feeder.closed->message;
  feeder.say(encode(Items{head, 10, 20, Bytes(1)}));
  EXPECT_EQ(code_of(feeder.closed), ErrorCode::Protocol);
}

TEST(HostileFeeder, ListsNoMoreItemsInAFrameThanBelongThere) {
  Feeder feeder;
  feeder.stand(10);
  const std::uint64_t many = std::uint64_t{1} << 60;
  const RunHead head{feeder.key, feeder.asked.run, 1, {many, 2, 3}};
  feeder.say(encode(Items{head, 0, kItemsPerFrame, Bytes(kItemsPerFrame)}));
  ASSERT_FALSE(feeder.closed.has_value()) << feeder.closed->message;
  feeder.say(encode(Items{head, kItemsPerFrame, many, Bytes(kItemsPerFrame + 1)}));
  EXPECT_EQ(code_of(feeder.closed), ErrorCode::LimitExceeded);
}

TEST(HostileFeeder, ListsNoMoreItemsThanAnybodyHas) {
  Feeder feeder;
  feeder.stand(10);
  const RunHead head{feeder.key, feeder.asked.run, 1, {std::uint64_t{1} << 60, 2, 3}};
  std::uint64_t above = 0;
  for (; !feeder.closed && above <= 2 * kMaxMissing; above += kItemsPerFrame)
    feeder.say(encode(Items{head, above, above + kItemsPerFrame, Bytes(kItemsPerFrame)}));
  EXPECT_EQ(code_of(feeder.closed), ErrorCode::LimitExceeded);
  EXPECT_LE(above, kMaxMissing + kItemsPerFrame);
}

TEST(HostileFeeder, IsNotReadForSymbolsWithoutEnd) {
  Feeder feeder;
  feeder.stand(500);
  const RunHead head{feeder.key, feeder.asked.run, 1, {std::uint64_t{1} << 40, 2, 3}};
  std::uint64_t asked = 0;
  while (!feeder.closed && feeder.asked.how == Match::How::Symbols && asked < (1u << 16)) {
    asked = feeder.asked.from + feeder.asked.count;
    for (std::uint64_t first = feeder.asked.from; first < asked && !feeder.closed; first += kSymbolsPerFrame) {
      const std::vector<CodedSymbol> symbols(std::min<std::uint64_t>(kSymbolsPerFrame, asked - first),
                                             {0x0123456789abcdef, 77, 5000});
      feeder.say(encode(Symbols{head, first, pack_symbols(symbols, first, head.digest.count)}));
    }
  }
  EXPECT_FALSE(feeder.closed.has_value()) << feeder.closed->message;
  EXPECT_EQ(static_cast<int>(feeder.asked.how), static_cast<int>(Match::How::Items));
  EXPECT_LE(asked, 3 * 300u) << "of the 300 documents that we hold";
}

void mutate(Bytes& frame, Random& random) {
  for (std::uint64_t n = 1 + random.below(3); n > 0 && !frame.empty(); --n) {
    const auto at = static_cast<std::ptrdiff_t>(random.below(frame.size()));
    switch (random.below(4)) {
      case 0:
        frame[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(random.below(256));
        break;
      case 1:
        frame.erase(frame.begin() + at, frame.begin() + at + 1);
        break;
      case 2:
        frame.insert(frame.begin() + at, static_cast<std::uint8_t>(random.below(256)));
        break;
      default:
        frame.resize(static_cast<std::size_t>(at));
    }
  }
}

TEST(HostileFrames, MutatedFramesNeverDoMoreThanEndTheSession) {
  const char* chosen = std::getenv("FERMATA_SEED");
  const std::uint64_t seed = chosen ? std::strtoull(chosen, nullptr, 10) : 1;
  SCOPED_TRACE("repeat: FERMATA_SEED=" + std::to_string(seed) +
               " build/dev/bin/test_sync --gtest_filter=HostileFrames.MutatedFrames*");
  SeededRandom random(seed);
  const std::vector<Bytes> valid = valid_frames();
  Victim victim;
  std::size_t ended = 0;
  constexpr std::size_t kRounds = 1500;
  for (std::size_t i = 0; i < kRounds; ++i) {
    std::vector<Bytes> frames{hello({{3, "SELECT * FROM cars", "e", {}}})};
    for (int n = 0; n < 4; ++n) {
      frames.push_back(valid[random.below(valid.size())]);
      if (random.below(3) != 0) mutate(frames.back(), random);
    }
    if (random.below(8) == 0) mutate(frames.front(), random);
    if (victim.hears(frames)) ++ended;
  }
  EXPECT_GT(ended, kRounds / 2);
  EXPECT_TRUE(victim.node.at("bmw").exists());
  EXPECT_TRUE(victim.node.engine->sessions().empty());
}

}  // namespace
}  // namespace fermata::sync
