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
       {"", "ff", "5f4101ff", "9f01ff", "c11a514b67b0", "f7", "9b00ffffffffffffff", "9affffffff", "bb7fffffffffffffff",
        "7bffffffffffffffff61", "61ff", "a1616101ff", "a2616101616102", "a10101", "1bffffffffffffffff", "0000"}) {
    EXPECT_FALSE(decode_value(hex(text))) << text;
  }
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
