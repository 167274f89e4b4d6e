#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "base/hash.hpp"
#include "base/random.hpp"
#include "base/utf8.hpp"

namespace fermata {
namespace {

TEST(Hash, MatchesTheStandardsVectors) {
  EXPECT_EQ(to_hex(sha256(as_bytes("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash64(as_bytes("abc")), 0xba7816bf8f01cfeau);
}

TEST(Hash, DerivedKeysDependOnSecretAndPurpose) {
  EXPECT_EQ(hkdf_sha256(as_bytes("secret"), "a"), hkdf_sha256(as_bytes("secret"), "a"));
  EXPECT_NE(hkdf_sha256(as_bytes("secret"), "a"), hkdf_sha256(as_bytes("secret"), "b"));
  EXPECT_NE(hkdf_sha256(as_bytes("secret"), "a"), hkdf_sha256(as_bytes("Secret"), "a"));
}

TEST(Random, ASeedAlwaysGivesTheSameSequence) {
  SeededRandom one(7), two(7), other(8);
  const std::uint64_t first = one.u64();
  EXPECT_EQ(first, two.u64());
  EXPECT_NE(first, other.u64());
  for (int i = 0; i < 1000; ++i) EXPECT_LT(one.below(3), 3u);
}

TEST(Random, Uuid7IsOrderedByTimeAndMarkedAsVersionSeven) {
  SeededRandom random(1);
  const std::string early = make_uuid7(WallTime(std::chrono::milliseconds(1'700'000'000'000)), random);
  const std::string late = make_uuid7(WallTime(std::chrono::milliseconds(1'700'000'000'001)), random);
  EXPECT_LT(early, late);
  ASSERT_EQ(early.size(), 36u);
  EXPECT_EQ(early[14], '7');
  EXPECT_EQ(early.substr(0, 13), "018bcfe5-6800");
}

TEST(Random, SequenceOfUuid7IsOrderedWithinAMillisecondAndWhenTheClockIsSetBack) {
  SeededRandom random(1);
  Uuid7Sequence ids;
  const WallTime noon(std::chrono::milliseconds(1'700'000'000'000));
  std::string last = ids.next(noon, random);
  EXPECT_EQ(last.substr(0, 13), "018bcfe5-6800");
  for (int i = 0; i < 10'000; ++i) {
    const std::string next = ids.next(i < 9'000 ? noon : noon - std::chrono::hours(1), random);
    ASSERT_LT(last, next);
    ASSERT_EQ(next[14], '7');
    last = next;
  }
  // What is more than fits into a millisecond takes of the next ones, and no more.
  EXPECT_LE(last.substr(0, 13), "018bcfe5-6803");
  EXPECT_EQ(ids.next(noon + std::chrono::hours(1), random).substr(0, 13), "018bd01c-5680");
}

TEST(Bytes, HexAndBase64ComeBackAndRefuseNonsense) {
  EXPECT_EQ(from_hex("00ffA0").value(), (Bytes{0x00, 0xff, 0xa0}));
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0g"));
  for (const Bytes& bytes : {Bytes{}, Bytes{1}, Bytes{1, 2}, Bytes{1, 2, 3}})
    EXPECT_EQ(from_base64(to_base64(bytes)).value(), bytes);
  EXPECT_FALSE(from_base64("abc"));
}

TEST(Utf8, RefusesOverlongFormsAndSurrogates) {
  EXPECT_TRUE(is_utf8("h\u00e9"));
  EXPECT_FALSE(is_utf8("\xc0\xaf"));
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));
  EXPECT_FALSE(is_utf8("\xe2\x82"));
}

}  // namespace
}  // namespace fermata
