// Each bound of limits.hpp: what lies beyond ends the session with LimitExceeded, and nothing else ends. Then what a
// device that broke the protocol may expect, and what a slow one costs.
#include "base/cbor.hpp"
#include "pair.hpp"
#include "sync/changes_writer.hpp"
#include "sync/compression.hpp"
#include "sync/message_reader.hpp"
#include "sync/refusals.hpp"

namespace fermata::sync {
namespace {

constexpr std::uint64_t kWant = 4, kChanges = 3, kAck = 5, kCompressed = 20;

CborWriter message(std::uint64_t type, std::size_t fields) {
  CborWriter out;
  out.array(fields + 1);
  out.uint(type);
  return out;
}

ErrorCode code_of(ByteView frame) {
  const auto read = MessageReader().read(frame);
  return read ? ErrorCode::Unsupported : read.error().code;
}

// An array of `count` zeros where a list is expected: it is refused before it is looked at.
Bytes with_list(CborWriter out, std::size_t count, std::size_t items_behind) {
  out.array(count);
  for (std::size_t i = 0; i < count + items_behind; ++i) out.uint(0);
  return out.take();
}

TEST(Limits, OfListsHoldInEveryMessage) {
  EXPECT_EQ(code_of(with_list(message(kWant, 2), kMaxRangesPerFrame + 1, 1)), ErrorCode::LimitExceeded);
  CborWriter names = message(kWant, 2);
  names.array(0);
  EXPECT_EQ(code_of(with_list(std::move(names), kMaxNamesPerFrame + 1, 0)), ErrorCode::LimitExceeded);
  CborWriter group = message(kWant, 2);
  group.array(0);
  group.array(1);
  EXPECT_EQ(code_of(with_list(std::move(group), kMaxNamesPerFrame + 2, 0)), ErrorCode::LimitExceeded);
  CborWriter ack = message(kAck, 2);
  ack.uint(0);
  EXPECT_EQ(code_of(with_list(std::move(ack), kMaxRangesPerFrame + 1, 0)), ErrorCode::LimitExceeded);
  EXPECT_EQ(code_of(with_list(CborWriter(), kMaxFields + 1, 0)), ErrorCode::LimitExceeded);
}

TEST(Limits, AQuestionForMoreNamesThanAFrameHoldsIsAskedInParts) {
  const Range range{1, 2, 3, false};
  Want all{{range}, {}};
  for (std::size_t i = 0; i < 2 * kMaxNamesPerFrame + 1; ++i) all.names.push_back({"cars", "d" + std::to_string(i)});
  std::vector<DocumentName> asked;
  const std::vector<Bytes> parts = encode_in_parts(all);
  for (const Bytes& part : parts) {
    const auto message = MessageReader().read(part);
    ASSERT_TRUE(message.has_value()) << message.error().message;
    const Want& want = std::get<Want>(*message);
    EXPECT_EQ(want.ranges.size(), &part == &parts.back() ? 1u : 0u) << "received when all has come";
    asked.insert(asked.end(), want.names.begin(), want.names.end());
  }
  EXPECT_EQ(parts.size(), 3u);
  EXPECT_EQ(asked, all.names);
}

TEST(Limits, OfTextsHoldInHelloAndGoodbye) {
  const auto hello = [](std::size_t epoch, std::size_t name, std::size_t query) {
    return code_of(encode(Hello{
        kSpoken, 0, std::string(epoch, 'e'), std::string(name, 'n'), 5, {{1, std::string(query, 'q'), "e", {}}}}));
  };
  EXPECT_EQ(hello(kMaxEpochBytes, kMaxNameBytes, kMaxQueryText), ErrorCode::Unsupported) << "which stands for none";
  EXPECT_EQ(hello(kMaxEpochBytes + 1, 1, 1), ErrorCode::LimitExceeded);
  EXPECT_EQ(hello(1, kMaxNameBytes + 1, 1), ErrorCode::LimitExceeded);
  EXPECT_EQ(hello(1, 1, kMaxQueryText + 1), ErrorCode::LimitExceeded);
  EXPECT_EQ(code_of(encode(Goodbye{std::string(kMaxNameBytes + 1, 'r'), {}})), ErrorCode::LimitExceeded);
}

TEST(Limits, OfDocumentsHold) {
  CborWriter out = message(kChanges, 4);
  out.uint(0);
  out.array(0);
  out.array(0);
  EXPECT_EQ(code_of(with_list(std::move(out), 4 * (kMaxDocumentsPerFrame + 1), 0)), ErrorCode::LimitExceeded);
}

// 17 MiB of a hostile frame would be a gigabyte of values.
TEST(Limits, OfValuesKeepAFrameFromCostingManyTimesItsSize) {
  CborWriter out = message(kChanges, 4);
  out.uint(1);
  out.array(0);
  out.array(5);
  out.bytes(Bytes(8, 1));
  for (int i = 0; i < 4; ++i) out.uint(1);
  out.array(4);
  out.text("cars");
  out.text("bmw");
  out.uint(2);  // life 1
  out.array(3);
  out.text("x");
  out.uint(4);  // of the next commit, a value
  CborWriter allowed = out;
  EXPECT_EQ(code_of(with_list(std::move(allowed), crdt::kMaxValues - 1, 0)), ErrorCode::Unsupported) << "which is none";
  EXPECT_EQ(code_of(with_list(std::move(out), kMaxItemsPerFrame, 0)), ErrorCode::LimitExceeded);
}

TEST(Limits, OfCompressedMessagesAreLookedAtBeforeAnythingIsUnpacked) {
  Compressor compressor;
  const Bytes plain = encode(Goodbye{std::string(200, 'r'), {}});
  Bytes long_enough = plain;
  CborWriter skipped = message(64, 1);
  skipped.text(std::string(4000, 's') + std::string(reinterpret_cast<const char*>(plain.data()), 4));
  long_enough = skipped.take();
  const Bytes packed = compressor.pack(long_enough).value();
  EXPECT_EQ(code_of(encode_compressed(packed, long_enough.size())), ErrorCode::Unsupported) << "which stands for none";
  EXPECT_EQ(code_of(encode_compressed(packed, long_enough.size() + 1)), ErrorCode::Malformed);
  EXPECT_EQ(code_of(encode_compressed(packed, long_enough.size() - 1)), ErrorCode::Malformed);
  EXPECT_EQ(code_of(encode_compressed(packed, kMaxFrame + 1)), ErrorCode::LimitExceeded);
  EXPECT_EQ(code_of(encode_compressed(packed, packed.size() * kMaxCompression)), ErrorCode::LimitExceeded);
  EXPECT_EQ(code_of(encode_compressed(packed, packed.size() * kMaxCompression - 1)), ErrorCode::Malformed);
  Bytes damaged = packed;
  damaged[damaged.size() / 2] ^= 0xff;
  damaged.resize(damaged.size() - 1);
  EXPECT_EQ(code_of(encode_compressed(damaged, long_enough.size())), ErrorCode::Malformed);
  EXPECT_FALSE(compressor.pack(ByteView(long_enough).first(kMinCompressed - 1)).has_value());
}

TEST(Limits, ACompressedMessageWithinAnotherIsRefused) {
  Compressor compressor;
  CborWriter inner = message(kCompressed, 2);
  inner.uint(5);
  inner.text(std::string(5000, 'x'));
  const Bytes plain = inner.take();
  EXPECT_EQ(code_of(encode_compressed(compressor.pack(plain).value(), plain.size())), ErrorCode::Protocol);
}

struct LimitsOfSessions : testing::Test {
  void greet(LinkId link, const DeviceId& device) {
    victim.engine->link_opened({link, device, "there", false}, victim.now());
    hear(link, encode(Hello{kSpoken, 0, "epoch of " + device, device, 5, {{1, "SELECT * FROM cars", "", {}}}}));
  }
  void hear(LinkId link, const Bytes& frame) { victim.engine->frame_received(link, frame, victim.now()); }
  std::optional<Error> closed(LinkId link) {
    std::optional<Error> why;
    for (Action& action : victim.drain()) {
      const auto* close = std::get_if<CloseLink>(&action);
      if (close && close->link == link) why = close->why;
    }
    return why;
  }
  // A stranger, on link 2, to whom hardly anything is sent before he acknowledges.
  void meet_without_a_window() {
    victim.options.window_bytes = 1;
    victim.engine = std::make_unique<Engine>(*victim.store, victim.options);
    victim.put("bmw", {{"x", 1}});
    greet(2, "stranger");
    (void)victim.drain();
  }
  Node victim{"victim"};
};

TEST_F(LimitsOfSessions, WhoeverAsksForMoreThanItTakesInIsCutOff) {
  victim.options.window_bytes = 100;
  victim.engine = std::make_unique<Engine>(*victim.store, victim.options);
  for (int i = 0; i < 20; ++i) victim.put("d" + std::to_string(i), {{"x", std::string(100, 'x')}});
  greet(1, "friend");
  greet(2, "stranger");
  (void)victim.drain();
  std::vector<DocumentName> names;
  for (std::size_t i = 0; i < kMaxNamesPerFrame; ++i) names.push_back({"cars", "d" + std::to_string(i % 20)});
  std::optional<Error> why;
  for (std::size_t i = 0; i <= 1 + kMaxRequestedNames / names.size() && !why; ++i) {
    hear(2, encode(Want{{}, names}));
    why = closed(2);
  }
  ASSERT_TRUE(why.has_value());
  EXPECT_EQ(why->code, ErrorCode::LimitExceeded);
  EXPECT_EQ(victim.session().link, 1u) << "the other session is what it was";
}

TEST_F(LimitsOfSessions, WhoeverAsksTooOftenIsCutOff) {
  meet_without_a_window();
  std::optional<Error> why;
  std::size_t asked = 0;
  for (; asked <= kMaxRequests + 1 && !why; ++asked) {
    hear(2, encode(Want{{}, {{"cars", "bmw"}}}));
    why = closed(2);
  }
  ASSERT_TRUE(why.has_value());
  EXPECT_EQ(why->code, ErrorCode::LimitExceeded);
}

TEST_F(LimitsOfSessions, WhoeverHasTooManyRangesRepeatedIsCutOff) {
  meet_without_a_window();
  const std::vector<Range> ranges(kMaxRangesPerFrame, Range{7, 0, 1, true});
  std::size_t asked = 0;
  for (; asked <= kMaxRequests && !closed(2); ++asked) hear(2, encode(Want{ranges, {{"cars", "bmw"}}}));
  EXPECT_LE(asked, 2 + kMaxRequestedRanges / kMaxRangesPerFrame);
}

TEST_F(LimitsOfSessions, WhoeverBreaksTheProtocolIsRefusedForLongerEachTime) {
  greet(1, "friend");
  (void)victim.drain();
  Duration last{};
  LinkId link = 1;
  for (int offence = 0; offence < 5; ++offence) {
    greet(++link, "stranger");
    hear(link, Bytes{0xff});
    ASSERT_EQ(closed(link)->code, ErrorCode::Malformed);
    const Instant offended = victim.now();
    // It tries again every half second.
    for (;; victim.clock.time += std::chrono::milliseconds(500)) {
      victim.engine->link_opened({++link, "stranger", "there", false}, victim.now());
      const auto refused = closed(link);
      if (!refused) break;
      EXPECT_NE(refused->message.find("refused for a while"), std::string::npos) << refused->message;
      hear(link, Bytes{0xff});
      EXPECT_FALSE(closed(link)) << "it is not listened to, so it makes nothing worse";
    }
    const Duration span = victim.now() - offended;
    EXPECT_GE(span, 2 * last);
    EXPECT_GE(span, std::chrono::seconds(1));
    last = span;
    victim.engine->link_closed(link, victim.now());
  }
  EXPECT_EQ(victim.session().link, 1u) << "the other session is what it was";
}

TEST_F(LimitsOfSessions, WhoeverBreaksTheFramingIsRefusedToo) {
  greet(1, "stranger");
  (void)victim.drain();
  victim.engine->offended(1, {ErrorCode::Protocol, "it announced a frame of a gigabyte"}, victim.now());
  victim.engine->link_closed(1, victim.now());
  victim.engine->link_opened({2, "stranger", "there", false}, victim.now());
  const auto refused = closed(2);
  ASSERT_TRUE(refused.has_value());
  EXPECT_NE(refused->message.find("a gigabyte"), std::string::npos) << refused->message;
  victim.engine->offended(2, {ErrorCode::Protocol, "again"}, victim.now());
  victim.clock.time += std::chrono::seconds(1);
  victim.engine->link_opened({3, "stranger", "there", false}, victim.now());
  EXPECT_FALSE(closed(3)) << "a link that was closed already makes nothing worse";
}

TEST(RefusalsTest, AreForgivenAndBounded) {
  Refusals refusals;
  const Error why{ErrorCode::Protocol, "nonsense"};
  Instant now{};
  for (int i = 0; i < 20; ++i) refusals.note("stranger", why, now);
  EXPECT_TRUE(refusals.of("stranger", now + std::chrono::minutes(59)).has_value());
  EXPECT_FALSE(refusals.of("stranger", now + std::chrono::hours(1)).has_value()) << "never longer than an hour";
  now += std::chrono::hours(3);
  refusals.note("stranger", why, now);
  EXPECT_FALSE(refusals.of("stranger", now + std::chrono::seconds(1)).has_value()) << "as if it were the first time";
  for (std::size_t i = 0; i < 2 * kMaxRefused; ++i) refusals.note("device " + std::to_string(i), why, now);
  EXPECT_FALSE(refusals.of("device 0", now).has_value());
  EXPECT_TRUE(refusals.of("device " + std::to_string(2 * kMaxRefused - 1), now).has_value());
  EXPECT_FALSE(Refusals::deserved(ErrorCode::Io));
  EXPECT_FALSE(Refusals::deserved(ErrorCode::Timeout));
  EXPECT_FALSE(Refusals::deserved(ErrorCode::VersionMismatch));
}

TEST_F(LimitsOfSessions, AFrozenReceiverCostsAWindowAndDelaysNobody) {
  constexpr int kCommits = 10'000;
  constexpr LinkId kFriend = 1, kFrozen = 7;
  victim.options.window_bytes = 128u << 10;
  victim.options.batch_bytes = 16u << 10;
  victim.engine = std::make_unique<Engine>(*victim.store, victim.options);
  greet(kFriend, "friend");
  greet(kFrozen, "frozen");
  (void)victim.drain();
  MessageReader friends;
  std::uint64_t acknowledged = 0;
  std::size_t to_frozen = 0;
  for (int i = 0; i < kCommits; ++i) {
    victim.put("d" + std::to_string(i % 1000), {{"x", i}});
    std::int64_t told = -1;
    for (Action& action : victim.drain()) {
      const Bytes& frame = std::get<SendFrame>(action).frame;
      if (std::get<SendFrame>(action).link == kFrozen) {
        to_frozen += frame.size();
      } else if (auto message = friends.read(frame); const auto* changes = std::get_if<Changes>(&message.value())) {
        told = *changes->documents.at(0).delta.registers.at(0).value.if_a<std::int64_t>();
        hear(kFriend, encode(Ack{++acknowledged, {}}));
      }
    }
    ASSERT_EQ(told, i) << "at once, whoever else is frozen";
  }
  EXPECT_LE(to_frozen, victim.options.window_bytes + victim.options.batch_bytes);
  EXPECT_GT(to_frozen, victim.options.window_bytes / 2);
}

TEST_F(LimitsOfSessions, WhatComesLaterReplacesWhatWaitsWhileTheWindowIsClosed) {
  victim.options.window_bytes = 200;
  victim.engine = std::make_unique<Engine>(*victim.store, victim.options);
  Node slow("slow");
  slow.subscribe("SELECT * FROM cars");
  Pair pair{victim, slow};
  pair.connect();
  std::vector<Action> waiting;
  for (int i = 0; i < 1000; ++i) {
    victim.put("bmw", {{"x", i}});
    for (Action& action : victim.drain()) waiting.push_back(std::move(action));
  }
  EXPECT_LT(waiting.size(), 20u);
  for (const Action& action : waiting) slow.engine->frame_received(1, std::get<SendFrame>(action).frame, slow.now());
  const std::uint64_t before = slow.session().documents_received;
  pair.settle();
  EXPECT_EQ(slow.at("bmw").view().at("x"), Value(999));
  EXPECT_LE(slow.session().documents_received - before, 2u) << "not one for each of what it missed";
}

TEST_F(LimitsOfSessions, WhoAnswersButAcknowledgesNothingIsGivenUp) {
  greet(2, "stranger");
  victim.put("bmw", {{"x", 1}});
  (void)victim.drain();
  std::optional<Error> why;
  for (int i = 0; i < 100 && !why; ++i) {
    victim.clock.time = *victim.engine->next_deadline();
    victim.engine->on_deadline(victim.now());
    for (Action& action : victim.drain()) {
      if (const auto* close = std::get_if<CloseLink>(&action)) why = close->why;
    }
    hear(2, encode(Pong{static_cast<std::uint64_t>(i) + 1}));
  }
  ASSERT_TRUE(why.has_value());
  EXPECT_EQ(why->code, ErrorCode::Timeout);
  EXPECT_LE(victim.now() - Instant(), victim.options.stalled_after + victim.options.heartbeat);
}

TEST_F(LimitsOfSessions, WhoShowsThatItLivesAndBringsNothingOfWhatItHasIsGivenUp) {
  for (const bool pings : {false, true}) {
    Node node{"victim"};
    node.subscribe("SELECT * FROM cars");
    node.engine->link_opened({1, "stranger", "there", false}, node.now());
    node.engine->frame_received(1, encode(Hello{kSpoken, 0, "an epoch", "stranger", 5, {}}), node.now());
    std::optional<Error> why;
    for (std::uint64_t i = 1; i < 100 && !why; ++i) {
      const Instant next = pings ? node.now() + std::chrono::seconds(10) : *node.engine->next_deadline();
      node.clock.time = next;
      node.engine->on_deadline(node.now());
      node.engine->frame_received(1, pings ? encode(Ping{i}) : encode(Pong{i}), node.now());
      for (Action& action : node.drain()) {
        if (const auto* close = std::get_if<CloseLink>(&action)) why = close->why;
      }
    }
    ASSERT_TRUE(why.has_value()) << pings;
    EXPECT_EQ(why->code, ErrorCode::Timeout);
    EXPECT_LE(node.now() - Instant(), node.options.stalled_after + node.options.heartbeat);
  }
}

TEST_F(LimitsOfSessions, WhoSleptHimselfDoesNotBlameTheOther) {
  greet(2, "stranger");
  victim.put("bmw", {{"x", 1}});
  (void)victim.drain();
  victim.clock.time += std::chrono::hours(5);
  victim.engine->on_deadline(victim.now());
  EXPECT_FALSE(closed(2).has_value());
  hear(2, encode(Ack{1, {}}));
  victim.clock.time += std::chrono::seconds(3);
  victim.engine->on_deadline(victim.now());
  EXPECT_FALSE(closed(2).has_value());
}

// Merging may make it larger than anybody may write.
void grow_truck(Node& node) {
  auto transaction = node.store->begin().value();
  for (crdt::ActorId actor = 1; actor <= 2; ++actor) {
    Map fields;
    for (int i = 0; i < 10; ++i)
      fields.emplace("part" + std::to_string(i) + std::to_string(actor), std::string(1 << 20, 'x'));
    crdt::Document half;
    ASSERT_TRUE(half.insert(fields, {{actor, 1}, {1u << 20}, 1}));
    crdt::Delta delta = *half.delta_since(0, 0);
    delta.collection = "cars";
    delta.id = "truck";
    ASSERT_TRUE(transaction.merge(delta, 9));
  }
  ASSERT_TRUE(transaction.commit());
}

TEST_F(LimitsOfSessions, ADocumentThatNoFrameHoldsComesInParts) {
  grow_truck(victim);
  Node other("other");
  other.subscribe("SELECT * FROM cars WHERE part31 != 'y'");
  victim.options.compression = Compression::None;
  victim.engine = std::make_unique<Engine>(*victim.store, victim.options);
  victim.subscribe("SELECT * FROM cars WHERE part31 = 'y'");
  Pair pair{victim, other};
  pair.connect();
  EXPECT_FALSE(pair.closed.has_value());
  EXPECT_EQ(other.at("truck").fingerprint(), victim.at("truck").fingerprint());
  EXPECT_EQ(victim.session().documents_too_large, 0u);
  EXPECT_TRUE(other.session().caught_up);
}

}  // namespace
}  // namespace fermata::sync
