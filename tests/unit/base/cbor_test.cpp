#include "base/cbor.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "support/value_generator.hpp"

namespace fermata {
namespace {

Bytes hex(std::string_view text) {
  return from_hex(text).value();
}

TEST(Cbor, WritesTheExamplesOfTheStandard) {
  // RFC 8949, appendix A.
  EXPECT_EQ(encode_value(Value(0)), hex("00"));
  EXPECT_EQ(encode_value(Value(1000000)), hex("1a000f4240"));
  EXPECT_EQ(encode_value(Value(-1000)), hex("3903e7"));
  EXPECT_EQ(encode_value(Value(1.1)), hex("fb3ff199999999999a"));
  EXPECT_EQ(encode_value(Value("IETF")), hex("6449455446"));
  EXPECT_EQ(encode_value(Value(Array{1, Array{2, 3}})), hex("8201820203"));
  EXPECT_EQ(encode_value(Value(Map{{"a", 1}, {"b", Array{2, 3}}})), hex("a26161016162820203"));
}

TEST(Cbor, RefusesWhatItDoesNotUseOrWhatLies) {
  for (const char* text :
       {"", "ff", "5f4101ff", "9f01ff", "c21a514b67b0", "f7", "9b00ffffffffffffff", "9affffffff", "bb7fffffffffffffff",
        "7bffffffffffffffff61", "61ff", "a1616101ff", "a2616101616102", "a10101", "1bffffffffffffffff", "0000"}) {
    EXPECT_FALSE(decode_value(hex(text))) << text;
  }
}

TEST(Cbor, WritesTimestampsAsTheStandardDoes) {
  // RFC 8949, appendix A.
  EXPECT_EQ(encode_value(Timestamp::parse("2013-03-21T20:04:00Z").value()), hex("c11a514b67b0"));
  EXPECT_EQ(encode_value(Timestamp::parse("2013-03-21T20:04:00.5Z").value()), hex("c1fb41d452d9ec200000"));
  EXPECT_EQ(encode_value(Timestamp::parse("1969-12-31T23:59:59Z").value()), hex("c120"));
}

TEST(Cbor, ATimestampHasOneEncoding) {
  for (const char* text : {"c1fb41d452d9ec000000",  // whole seconds as a real
                           "c1fb41d452d9ec200001",  // finer than a millisecond
                           "c1fa4ea296cf",          // a short real
                           "c1190001",              // a long integer
                           "d8011a514b67b0",        // a long tag
                           "c1fb7ff8000000000000", "c1fb7ff0000000000000", "c1fb8000000000000000",
                           "c11bffffffffffffffff", "c13bffffffffffffffff", "c11b0000003afff44180",  // the year 10000
                           "c1", "c161", "c1c100", "c16130"}) {
    EXPECT_FALSE(decode_value(hex(text))) << text;
  }
}

constexpr const char* kTagAndHash = "da4645524d835820000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

TEST(Cbor, AnAttachmentHasOneEncoding) {
  const Bytes good = hex(std::string(kTagAndHash) +
                         "1864a2616161786162"
                         "6179");
  const auto value = decode_value(good);
  ASSERT_TRUE(value) << value.error().message;
  const auto* attachment = value->if_a<Attachment>();
  ASSERT_NE(attachment, nullptr);
  EXPECT_EQ(attachment->size_bytes(), 100u);
  EXPECT_EQ(attachment->hash()[31], 0x1f);
  EXPECT_EQ(attachment->metadata(), (AttachmentMetadata{{"a", "x"}, {"b", "y"}}));
  for (const char* rest : {"190064a0",  // a long integer
                           "1864a2616261796161"
                           "6178",  // keys out of order
                           "1864a2616161786161"
                           "6178",          // a key twice
                           "1864a1616101",  // not text
                           "1864a10161"
                           "61",
                           "20a0", "1864", "1864a161", "1bffffffffffffffffa0", "1864b84100"}) {
    EXPECT_FALSE(decode_value(hex(std::string(kTagAndHash) + rest))) << rest;
  }
  EXPECT_FALSE(decode_value(hex("da4645524d8341001864a0")));  // a short hash
  EXPECT_FALSE(decode_value(hex("da4645524d80")));
}

TEST(Cbor, AnAttachmentsMetadataIsBounded) {
  const auto with = [](std::size_t entries, std::size_t bytes) {
    CborWriter out;
    out.raw(hex(std::string(kTagAndHash) + "00"));
    out.map(entries);
    for (std::size_t i = 0; i < entries; ++i) {
      out.text(std::string(1, static_cast<char>('0' + i)));
      out.text(std::string(i == 0 ? bytes - entries : 0, 'x'));
    }
    return out.take();
  };
  EXPECT_TRUE(decode_value(with(kMaxMetadataEntries, kMaxMetadataBytes)));
  EXPECT_FALSE(decode_value(with(kMaxMetadataEntries + 1, kMaxMetadataBytes)));
  EXPECT_FALSE(decode_value(with(kMaxMetadataEntries, kMaxMetadataBytes + 1)));
}

TEST(Cbor, RefusesNestingBeyondTheLimit) {
  EXPECT_TRUE(decode_value([] {
    Bytes b(kMaxDepth, 0x81);
    b.push_back(0x00);
    return b;
  }()));
  const auto deep = decode_value(Bytes(1'000'000, 0x81));
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().code, ErrorCode::LimitExceeded);
}

TEST(Cbor, ARefusedReadLeavesTheCursorWhereItWas) {
  const Bytes bytes = hex("6161");
  CborReader reader(bytes);
  EXPECT_FALSE(reader.uint());
  EXPECT_EQ(reader.text().value(), "a");
  EXPECT_TRUE(reader.at_end());
}

RC_GTEST_PROP(Cbor, EveryValueComesBack, ()) {
  const Value value = *generate_value(4);
  const auto back = decode_value(encode_value(value));
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == value);
}

RC_GTEST_PROP(Cbor, NoBytesCanHurtTheReader, (Bytes bytes)) {
  CborReader reader(bytes);
  while (!reader.at_end() && reader.value()) {
  }
  CborReader skipper(bytes);
  while (!skipper.at_end() && skipper.skip()) {
  }
}

RC_GTEST_PROP(Cbor, SkipPassesOverExactlyOneItem, ()) {
  Bytes bytes = encode_value(*generate_value(4));
  bytes.push_back(0x07);
  CborReader reader(bytes);
  RC_ASSERT(reader.skip().has_value());
  RC_ASSERT(reader.uint().value() == 7u);
}

}  // namespace
}  // namespace fermata
