// Bytes from a disk or a peer: compact when we wrote them, an Error when somebody else did.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "crdt/document.hpp"
#include "generators.hpp"
#include "wire.hpp"

namespace fermata::crdt {
namespace {

// As large as they get in practice: a random actor, a seq of four bytes, a stamp of our days.
const Commit kToday{{0xfedcba9876543210U, 3'000'000}, Stamp{(std::uint64_t{1'780'000'000'000} << 16) + 3}, 100'000};

Delta one_register(Register r) {
  return Delta{"c", "d", 1, {std::move(r)}};
}

Register some_register(Path path) {
  Register r;
  r.path = std::move(path);
  r.value = 1;
  r.dot = kToday.dot;
  r.stamp = kToday.stamp;
  return r;
}

TEST(Metadata, OfAFreshDocumentDoesNotGrowWithItsFields) {
  Map fields;
  for (int i = 0; i < 100; ++i) fields.emplace("field number " + std::to_string(i), i);
  Document document;
  ASSERT_TRUE(document.insert(fields, kToday));
  EXPECT_LE(document.encode_metadata().size(), 50U);
}

TEST(Metadata, StartsWithItsVersionAndANewerOneIsRefusedAsSuch) {
  Document document;
  ASSERT_TRUE(document.insert({{"x", 1}}, kToday));
  Bytes metadata = document.encode_metadata();
  ASSERT_EQ(metadata[0], 1);
  metadata[0] = 3;
  EXPECT_EQ(Document::decode(document.encode_body(), metadata).error().code, ErrorCode::VersionMismatch);
}

TEST(Metadata, ThatContradictsTheBodyIsCorrupt) {
  Document document, other;
  ASSERT_TRUE(document.insert({{"x", 1}}, kToday));
  ASSERT_TRUE(other.insert({{"x", 1}, {"y", 1}}, kToday));
  EXPECT_EQ(Document::decode(other.encode_body(), document.encode_metadata()).error().code, ErrorCode::Corrupt);
  EXPECT_FALSE(Document::decode(document.encode_body(), other.encode_metadata()));
  EXPECT_FALSE(Document::decode(encode_value(Map{{"x", Map{{"y", 1}}}}), Bytes{}));
}

TEST(Wire, RefusesWhatNoDocumentHolds) {
  const auto refused = [](const Delta& delta) { return unwired(wire(delta)).error().code; };
  ASSERT_TRUE(unwired(wire(one_register(some_register({"x"})))));

  Delta unsorted = one_register(some_register({"b"}));
  unsorted.registers.push_back(some_register({"a"}));
  EXPECT_EQ(refused(unsorted), ErrorCode::Malformed);
  Delta twice = one_register(some_register({"a"}));
  twice.registers.push_back(some_register({"a"}));
  EXPECT_EQ(refused(twice), ErrorCode::Malformed);
  EXPECT_EQ(refused(Delta{"c", "d", 0, {}}), ErrorCode::Malformed);
  EXPECT_EQ(refused(Delta{"c", "d", kMaxLife + 1, {}}), ErrorCode::Malformed);
  EXPECT_EQ(refused(one_register(some_register({}))), ErrorCode::Malformed);
  EXPECT_EQ(refused(one_register(some_register(Path(kMaxDepth + 1, "p")))), ErrorCode::LimitExceeded);

  Register r = some_register({"x"});
  r.value = Map{{"y", 1}};
  EXPECT_EQ(refused(one_register(r)), ErrorCode::Malformed);
  r = some_register({"x"});
  r.life = 2;
  EXPECT_EQ(refused(one_register(r)), ErrorCode::Malformed);
  r = some_register({"x"});
  r.stamp = kMaxStamp.next();
  EXPECT_EQ(refused(one_register(r)), ErrorCode::Malformed);
  r = some_register({"x"});
  r.dot.seq = 0;
  EXPECT_EQ(refused(one_register(r)), ErrorCode::Malformed);
  r = some_register(Path(kMaxDepth - 1, "p"));
  r.value = Array{Value(Array{1})};  // compilers differ on what Array{Array{1}} is
  EXPECT_EQ(refused(one_register(r)), ErrorCode::LimitExceeded);
  r.value = Array{1};
  EXPECT_TRUE(unwired(wire(one_register(r))));

  for (const auto& [collection, id] : {std::pair("", "d"), std::pair("c", "")}) {
    EXPECT_EQ(refused(Delta{collection, id, 1, {}}), ErrorCode::Malformed);
  }
  r = some_register({"x"});
  r.value = Array(kMaxValues - 1);
  EXPECT_TRUE(unwired(wire(one_register(r))));
  r.value = Array(kMaxValues);
  EXPECT_EQ(refused(one_register(r)), ErrorCode::LimitExceeded) << "it could not be passed on";
}

TEST(Document, WithAMapBelowTheDeepestLevelDecodes) {
  const Path deepest(kMaxDepth, "p");
  Document counting;
  ASSERT_TRUE(counting.insert({}, kToday));
  for (std::uint64_t seq = 2; seq < 5; ++seq) {
    const Commit commit{{1, seq}, {seq << 20U}, seq};
    ASSERT_TRUE(seq == 2   ? counting.set(deepest, 1, commit)
                : seq == 3 ? counting.unset(deepest, commit)
                           : counting.increment(deepest, 7, commit));
  }
  Delta hidden = *counting.delta_since(0, 0);
  std::erase_if(hidden.registers, [](const Register& r) { return r.kind == RegisterKind::Counter; });
  hidden.collection = "c";
  hidden.id = "d";
  const auto received = unwired(wire(hidden));
  ASSERT_TRUE(received) << "what stood there before the counter, without the counter";
  ASSERT_EQ(received->registers.back().kind, RegisterKind::Map);
  Document alone;
  alone.merge(*received, {1, 1});
  for (const Document* document : {&counting, &alone}) {
    const auto decoded = Document::decode(document->encode_body(), document->encode_metadata());
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(decoded->fingerprint(), document->fingerprint());
    EXPECT_EQ(encode_value(document->view()), document->encode_body());
  }
}

// Flips, drops, repeats and cuts a few bytes.
Bytes damaged(Bytes bytes, const std::vector<unsigned>& dice) {
  for (const unsigned roll : dice) {
    if (bytes.empty()) break;
    const std::size_t at = roll / 1024 % bytes.size();
    const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    if (roll % 4 == 0) bytes.erase(place);
    if (roll % 4 == 1) bytes.insert(place, static_cast<std::uint8_t>(roll / 4));
    if (roll % 4 >= 2) *place = static_cast<std::uint8_t>(roll / 4);
    if (roll % 64 == 63) bytes.resize(at);
  }
  return bytes;
}

std::vector<unsigned> few_rolls() {
  return *rc::gen::resize(6, rc::gen::container<std::vector<unsigned>>(rc::gen::inRange(0U, 1U << 24U)));
}

// Whatever decodes must be as good as a document of our own.
void use(ByteView body, ByteView metadata) {
  const auto document = Document::decode(body, metadata);
  if (!document) {
    RC_ASSERT(!document.error().message.empty());
    return;
  }
  const auto again = Document::decode(document->encode_body(), document->encode_metadata());
  RC_ASSERT(again.has_value());
  RC_ASSERT(again->fingerprint() == document->fingerprint());
  RC_ASSERT(again->encode_metadata() == document->encode_metadata());
  RC_ASSERT(encode_value(document->view()) == document->encode_body());
}

RC_GTEST_PROP(Hostile, BytesNeverCrashTheDocumentDecoder, (const Bytes& body, const Bytes& metadata)) {
  use(body, metadata);
  use(encode_value(Map{}), metadata);
}

RC_GTEST_PROP(Hostile, DamagedDocumentsNeverCrashTheDecoder, (const Wild& a, const Wild& b)) {
  Document document;
  document.merge(a.delta, LocalMark{5, 1});
  document.merge(b.delta, LocalMark{6, 2});
  for (int round = 0; round < 20; ++round) {
    use(damaged(document.encode_body(), few_rolls()), document.encode_metadata());
    use(document.encode_body(), damaged(document.encode_metadata(), few_rolls()));
  }
}

RC_GTEST_PROP(Hostile, DamagedDeltasNeverCrashTheDecoderAndStillMerge, (const Wild& a, const Wild& b)) {
  for (int round = 0; round < 20; ++round) {
    const auto delta = unwired(damaged(wire(a.delta), few_rolls()));
    if (!delta) continue;
    Document one, two;
    one.merge(b.delta, LocalMark{1, 1});
    one.merge(*delta, LocalMark{2, 1});
    two.merge(*delta, LocalMark{1, 1});
    two.merge(b.delta, LocalMark{2, 1});
    RC_ASSERT(one.fingerprint() == two.fingerprint());
    use(one.encode_body(), one.encode_metadata());
    RC_ASSERT(Document::decode(one.encode_body(), one.encode_metadata()).has_value());
  }
}

// The same below as many names.
Delta lowered(Delta delta, std::size_t names) {
  for (Register& r : delta.registers) r.path.insert(r.path.begin(), names, "p");
  return delta;
}

RC_GTEST_PROP(Hostile, DeltasThatDecodeCanBeStoredHoweverDeep, (const Wild& a, const Wild& b)) {
  for (std::size_t names = kMaxDepth - 4; names < kMaxDepth; ++names) {
    Document document;
    for (const Wild* wild : {&a, &b}) {
      const auto delta = unwired(wire(lowered(wild->delta, names)));
      if (delta) document.merge(*delta, LocalMark{1, 1});
    }
    use(document.encode_body(), document.encode_metadata());
    RC_ASSERT(Document::decode(document.encode_body(), document.encode_metadata()).has_value());
    RC_ASSERT(decode_value(document.encode_body()).has_value());
  }
}

RC_GTEST_PROP(Hostile, BytesNeverCrashTheDeltaDecoder, (const Bytes& bytes)) {
  if (const auto delta = unwired(bytes)) RC_ASSERT(unwired(wire(*delta)).has_value());
}

}  // namespace
}  // namespace fermata::crdt
