// The content of attachments between engines: docs/PROTOCOL.md, "Attachments".
#include <algorithm>

#include "store/attachments.hpp"
#include "sync/messages.hpp"
#include "unit/sync/mesh.hpp"

namespace fermata::sync {
namespace {

constexpr std::size_t kChunk = store::kChunkBytes;

Bytes some_content(std::size_t size, std::uint32_t salt = 1) {
  Bytes content(size);
  for (std::uint8_t& byte : content) byte = static_cast<std::uint8_t>((salt = salt * 1664525u + 1013904223u) >> 24U);
  return content;
}

Attachment put(Node& node, const Bytes& content) {
  const auto source = [&content, at = std::size_t{0}](std::span<std::uint8_t> into) mutable -> Result<std::size_t> {
    const std::size_t count = std::min(into.size(), content.size() - at);
    std::copy_n(content.begin() + static_cast<std::ptrdiff_t>(at), count, into.begin());
    at += count;
    return count;
  };
  return node.store->attachments().put(source, {}).value();
}

bool has(Node& node, const Attachment& attachment) {
  return node.store->attachments().find_complete(attachment.hash(), attachment.size_bytes()).has_value();
}

// What the engine told last of this fetch.
struct Watch {
  Node& node;
  FetchId id;
  std::uint64_t received = 0;
  std::size_t told = 0;
  std::optional<Status> ended;

  Watch& look() {
    for (const FetchNews& news : node.engine->take_fetch_news()) {
      if (news.id != id) continue;
      ++told;
      received = news.received_bytes;
      if (news.ended) ended = news.ended;
    }
    return *this;
  }
};

Watch fetch(Node& node, const Attachment& attachment) {
  return {node, node.engine->fetch(attachment, node.now()), 0, 0, {}};
}

// Lets what is due at once, such as checking what has come, happen.
void settle_due(Pair& pair) {
  for (int turn = 0; turn < 100; ++turn) {
    pair.settle();
    for (Node* node : {&pair.a, &pair.b}) {
      if (const auto due = node->engine->next_deadline(); due && *due <= node->now())
        node->engine->on_deadline(node->now());
    }
  }
}

TEST(AttachmentFetch, BringsWhatAPeerHasAndTellsHowFarItHasCome) {
  Node a("a"), b("b");
  Pair pair{a, b};
  pair.connect();
  const Attachment attachment = put(a, some_content(40 * kChunk + 3));
  Watch watch = fetch(b, attachment);
  std::uint64_t last = 0;
  while (pair.exchange() != 0) {
    watch.look();
    EXPECT_GE(watch.received, last);
    last = watch.received;
  }
  settle_due(pair);
  ASSERT_TRUE(watch.look().ended);
  EXPECT_TRUE(*watch.ended);
  EXPECT_EQ(watch.received, attachment.size_bytes());
  EXPECT_GT(watch.told, 5u);
  EXPECT_TRUE(has(b, attachment));
  EXPECT_FALSE(pair.closed);
  EXPECT_FALSE(b.engine->unsynced());
}

TEST(AttachmentFetch, OfWhatIsHereEndsAtOnceAndOfNothingToo) {
  Node a("a"), b("b");
  Pair pair{a, b};
  pair.connect();
  const Attachment here = put(b, some_content(10));
  const Attachment empty = put(a, {});
  Watch first = fetch(b, here), second = fetch(b, empty);
  const std::vector<FetchNews> news = b.engine->take_fetch_news();
  ASSERT_EQ(news.size(), 2u);
  for (const FetchNews& each : news) EXPECT_TRUE(each.ended && *each.ended);
  EXPECT_TRUE(has(b, empty));
}

TEST(AttachmentFetch, GoesOnOverTheNextLinkWhereTheLastWasCutAndResendsNothing) {
  Node a("a"), b("b");
  Pair pair{a, b};
  pair.connect();
  const Bytes content = some_content(60 * kChunk);
  const Attachment attachment = put(a, content);
  Watch watch = fetch(b, attachment);
  while (watch.look().received < 30 * kChunk) ASSERT_NE(pair.exchange(), 0u);
  const std::uint64_t stored = watch.received;
  pair.cut();
  b.engine.reset();  // as after a crash: what is stored is all that is known
  b.disk.kill_process();
  b.store.reset();
  b.open();
  pair.bytes = 0;
  pair.connect(2);
  Watch again = fetch(b, attachment);
  settle_due(pair);
  ASSERT_TRUE(again.look().ended && *again.ended);
  EXPECT_TRUE(has(b, attachment));
  EXPECT_LT(pair.bytes, content.size() - stored + 8 * kChunk / 10);
}

TEST(AttachmentFetch, OfWhatAPeerLacksIsAskedOfAnother) {
  Node a("a"), empty("empty"), b("b");
  Mesh mesh({&a, &empty, &b});
  const Attachment attachment = put(a, some_content(3 * kChunk));
  mesh.open(empty, b);
  mesh.settle();
  Watch watch = fetch(b, attachment);
  mesh.settle();
  EXPECT_FALSE(watch.look().ended);
  mesh.open(a, b);
  mesh.settle();
  EXPECT_TRUE(watch.look().ended && *watch.ended);
  EXPECT_TRUE(has(b, attachment));
}

TEST(AttachmentFetch, OfWhatARelayGetsLaterIsToldAndServedByTheRelay) {
  Node a("a"), relay("relay"), b("b");
  Mesh mesh({&a, &relay, &b});
  const Attachment attachment = put(a, some_content(5 * kChunk));
  mesh.open(a, relay);
  mesh.open(relay, b);
  mesh.settle();
  Watch watch = fetch(b, attachment);
  mesh.settle();
  EXPECT_FALSE(watch.look().ended);
  Watch relayed = fetch(relay, attachment);
  mesh.settle();
  ASSERT_TRUE(relayed.look().ended && *relayed.ended);
  EXPECT_TRUE(watch.look().ended && *watch.ended);
  EXPECT_TRUE(has(b, attachment));
}

TEST(AttachmentFetch, WhatSomebodyPutsWhomAPeerHasAskedInVainIsTold) {
  Node a("a"), b("b");
  Pair pair{a, b};
  pair.connect();
  const Bytes content = some_content(2 * kChunk);
  const Attachment attachment = Attachment::make(sha256(content), content.size()).value();
  Watch watch = fetch(b, attachment);
  pair.settle();
  EXPECT_FALSE(watch.look().ended);
  put(a, content);
  a.engine->content_stored(attachment.hash());
  pair.settle();
  EXPECT_TRUE(watch.look().ended && *watch.ended);
}

TEST(AttachmentFetch, DocumentsDoNotWaitForALargeAttachment) {
  Node a("a"), b("b");
  Pair pair{a, b};
  b.subscribe("SELECT * FROM cars");
  pair.connect();
  const Attachment attachment = put(a, some_content(200 * kChunk));
  Watch watch = fetch(b, attachment);
  for (int i = 0; i < 5; ++i) pair.exchange();
  a.put("x", {{"n", 1}});
  std::size_t rounds = 0;
  while (!b.at("x").alive()) {
    ASSERT_NE(pair.exchange(), 0u);
    ++rounds;
  }
  EXPECT_LE(rounds, 2u);
  EXPECT_LT(watch.look().received, attachment.size_bytes());
}

TEST(AttachmentFetch, NoMoreThanAFewPartsAreUnderWay) {
  Node a("a"), b("b");
  Pair pair{a, b};
  pair.connect();
  const Attachment attachment = put(a, some_content(100 * kChunk));
  Watch watch = fetch(b, attachment);
  for (Action& action : b.drain()) a.engine->frame_received(1, std::get<SendFrame>(action).frame, a.now());
  std::size_t bytes = 0;
  for (const Action& action : a.drain()) bytes += std::get<SendFrame>(action).frame.size();
  EXPECT_GT(bytes, kChunk);
  EXPECT_LT(bytes, 5 * kChunk);
  EXPECT_FALSE(watch.look().ended);
}

TEST(AttachmentFetch, AnotherContentThanItsHashSaysIsDiscardedAndAskedOfAnother) {
  Node a("a"), b("b");
  const Bytes content = some_content(3 * kChunk);
  const Attachment attachment = put(a, content);
  constexpr LinkId kLiar = 77;
  const auto say = [&](const Bytes& frame) { b.engine->frame_received(kLiar, frame, b.now()); };
  b.engine->link_opened({kLiar, "liar", "l", false}, b.now());
  say(encode(Hello{kSpoken, 2, "liars epoch", "liar", 0, {}}));
  Watch watch = fetch(b, attachment);
  for (std::uint64_t at = 0; at < content.size(); at += kChunk)
    say(encode(Part{attachment.hash(), at, Bytes(kChunk, 7)}));
  EXPECT_EQ(watch.look().received, 0u);
  EXPECT_GT(watch.told, 0u);
  EXPECT_FALSE(watch.ended);
  EXPECT_FALSE(has(b, attachment));
  Mesh mesh({&a, &b});
  mesh.open(a, b);
  mesh.settle();
  EXPECT_TRUE(watch.look().ended && *watch.ended);
  EXPECT_TRUE(has(b, attachment));
}

TEST(AttachmentFetch, ASubscriptionMayBringTheContentWithItsDocuments) {
  Node a("a"), b("b");
  Pair pair{a, b};
  const Attachment before = put(a, some_content(2 * kChunk, 1)), later = put(a, some_content(2 * kChunk, 2)),
                   unwanted = put(a, some_content(2 * kChunk, 3));
  b.put("local", {{"file", before}});
  b.engine->subscribe(query::Predicate::parse("SELECT * FROM cars WHERE n = 1", {}).value(), b.now(),
                      AttachmentPolicy::WithDocuments);
  const auto whole =
      b.engine->subscribe(query::Predicate::parse("SELECT * FROM cars WHERE file IS NOT MISSING", {}).value(), b.now(),
                          AttachmentPolicy::WithDocuments);
  pair.connect();
  EXPECT_TRUE(has(b, before)) << "it was named when the subscription began";
  a.put("x", {{"n", 1}, {"deep", Map{{"list", Array{later}}}}});
  a.put("y", {{"n", 2}, {"deep", unwanted}});
  settle_due(pair);
  EXPECT_TRUE(has(b, later));
  EXPECT_FALSE(has(b, unwanted));
  b.engine->unsubscribe(whole, b.now());
  pair.settle();
  EXPECT_FALSE(pair.closed);
}

TEST(AttachmentFetch, ThatNobodyWantsAnyMoreEnds) {
  Node a("a"), b("b");
  Pair pair{a, b};
  pair.connect();
  const Attachment attachment = put(a, some_content(100 * kChunk));
  Watch watch = fetch(b, attachment);
  for (int i = 0; i < 6; ++i) pair.exchange();
  b.engine->end_fetch(watch.id);
  pair.bytes = 0;
  pair.settle();
  EXPECT_LT(pair.bytes, 10 * kChunk);
  EXPECT_FALSE(has(b, attachment));
  EXPECT_TRUE(b.engine->take_fetch_news().empty());
}

TEST(AttachmentFetch, AFullDiskIsToldAndEndsTheFetchButNotTheLink) {
  Node a("a"), b("b");
  Pair pair{a, b};
  pair.connect();
  const Attachment attachment = put(a, some_content(100 * kChunk));
  b.disk.limit_free_space(1u << 20);
  Watch watch = fetch(b, attachment);
  settle_due(pair);
  ASSERT_TRUE(watch.look().ended);
  ASSERT_FALSE(*watch.ended);
  EXPECT_EQ(watch.ended->error().code, ErrorCode::NoSpace);
  EXPECT_FALSE(pair.closed);
}

// Somebody who speaks by hand to an engine.
struct Stranger {
  Stranger() { node.engine->link_opened({1, "stranger", "s", false}, node.now()); }
  Stranger& say(const Bytes& frame) {
    node.engine->frame_received(1, frame, node.now());
    return *this;
  }
  std::optional<Error> closed() {
    for (Action& action : node.drain()) {
      if (auto* close = std::get_if<CloseLink>(&action)) return close->why;
    }
    return std::nullopt;
  }
  Node node{"a"};
};

TEST(AttachmentFetch, APartOfAnotherSizeThanAskedForEndsTheLink) {
  Stranger stranger;
  const Attachment attachment = Attachment::make({1}, 2 * kChunk).value();
  stranger.say(encode(Hello{kSpoken, 2, "e", "s", 0, {}}));
  (void)stranger.node.engine->fetch(attachment, stranger.node.now());
  EXPECT_FALSE(stranger.closed());
  stranger.say(encode(Part{attachment.hash(), 0, Bytes(10)}));
  const auto why = stranger.closed();
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code, ErrorCode::Malformed);
}

TEST(AttachmentFetch, PartsThatNobodyAskedForAreNotStored) {
  Stranger stranger;
  stranger.say(encode(Hello{kSpoken, 2, "e", "s", 0, {}}));
  const Attachment attachment = Attachment::make({1}, 2 * kChunk).value();
  stranger.say(encode(Part{attachment.hash(), 0, Bytes(kChunk)}));
  EXPECT_FALSE(stranger.closed());
  auto incoming = stranger.node.store->attachments().receive(attachment.hash(), attachment.size_bytes());
  ASSERT_TRUE(incoming && *incoming);
  EXPECT_EQ((*incoming)->stored_bytes(), 0u);
}

TEST(AttachmentFetch, WhoAsksForTooManyAtATimeIsCutOff) {
  Stranger stranger;
  stranger.say(encode(Hello{kSpoken, 2, "e", "s", 0, {}}));
  const Attachment attachment = put(stranger.node, some_content(100 * kChunk));
  // Without acknowledging, so that nothing of it is done.
  for (std::uint8_t i = 0; i < kMaxSupplied + kMaxPartsInFlight; ++i) {
    ContentHash hash{i, 1};
    stranger.say(encode(Fetch{hash, 10, 0}));
    ASSERT_FALSE(stranger.closed()) << int(i);
  }
  stranger.say(encode(Fetch{attachment.hash(), attachment.size_bytes(), 0}));
  const auto why = stranger.closed();
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code, ErrorCode::LimitExceeded);
}

TEST(AttachmentFetch, IsNotAskedOfAPeerThatDoesNotKnowOfAttachments) {
  Stranger stranger;
  stranger.say(encode(Hello{kSpoken, 1, "e", "s", 0, {}}));
  (void)stranger.node.drain();
  (void)stranger.node.engine->fetch(Attachment::make({1}, 2 * kChunk).value(), stranger.node.now());
  EXPECT_TRUE(stranger.node.drain().empty());
}

}  // namespace
}  // namespace fermata::sync
