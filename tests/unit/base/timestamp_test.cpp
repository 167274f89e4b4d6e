#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "support/value_generator.hpp"

namespace fermata {
namespace {

std::string read(std::string_view text) {
  const auto timestamp = Timestamp::parse(text);
  if (!timestamp) return std::string(timestamp.error().code == ErrorCode::Malformed ? "malformed" : "another error");
  return timestamp->to_text();
}

TEST(Timestamp, ReadsEveryOffsetAndShowsUtc) {
  EXPECT_EQ(read("2026-11-23T19:40:26Z"), "2026-11-23T19:40:26.000Z");
  EXPECT_EQ(read("2026-11-23t19:40:26z"), "2026-11-23T19:40:26.000Z");
  EXPECT_EQ(read("1996-12-19T16:39:57-08:00"), "1996-12-20T00:39:57.000Z");
  EXPECT_EQ(read("2026-01-01T00:00:00+23:59"), "2025-12-31T00:01:00.000Z");
  EXPECT_EQ(read("2026-01-01T00:00:00-00:00"), "2026-01-01T00:00:00.000Z");
  EXPECT_EQ(read("2024-02-29T12:00:00Z"), "2024-02-29T12:00:00.000Z");
}

TEST(Timestamp, RoundsToMillisecondsTowardsThePast) {
  EXPECT_EQ(read("1985-04-12T23:20:50.5Z"), "1985-04-12T23:20:50.500Z");
  EXPECT_EQ(read("1985-04-12T23:20:50.52Z"), "1985-04-12T23:20:50.520Z");
  EXPECT_EQ(read("2026-11-23T19:40:26.9999999999999999999999Z"), "2026-11-23T19:40:26.999Z");
  EXPECT_EQ(read("1969-12-31T23:59:59.9999Z"), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(read("0001-01-01T00:00:00.0001Z"), "0001-01-01T00:00:00.000Z");
}

TEST(Timestamp, ALeapSecondIsTheSecondAfterIt) {
  EXPECT_EQ(read("1990-12-31T23:59:60Z"), "1991-01-01T00:00:00.000Z");
  EXPECT_EQ(read("1990-12-31T15:59:60.25-08:00"), "1991-01-01T00:00:00.250Z");
  EXPECT_EQ(read("1990-12-31T22:59:60Z"), "malformed");
}

TEST(Timestamp, RefusesWhatIsNoTimeOfTheYears1To9999) {
  for (const char* text : {"",
                           "2026",
                           "2026-11-23",
                           "2026-11-23T19:40:26",
                           "2026-11-23 19:40:26Z",
                           "2026-11-23T19:40Z",
                           "2026-11-23T19:40:26.Z",
                           "2026-11-23T19:40:26,5Z",
                           "2026-11-23T24:00:00Z",
                           "2026-11-23T19:60:00Z",
                           "2026-11-23T19:40:61Z",
                           "2026-02-29T00:00:00Z",
                           "2026-13-01T00:00:00Z",
                           "2026-00-01T00:00:00Z",
                           "2026-01-00T00:00:00Z",
                           "2026-1-01T00:00:00Z",
                           "2026-01-01T00:00:00+1:00",
                           "2026-01-01T00:00:00+24:00",
                           "2026-01-01T00:00:00+01:60",
                           "2026-01-01T00:00:00+0100",
                           "2026-01-01T00:00:00Z ",
                           "+2026-01-01T00:00:00Z",
                           "0000-12-31T23:59:59Z",
                           "0001-01-01T00:00:00+00:01",
                           "9999-12-31T23:59:59-00:01",
                           "2026-01-01T00:00:00.0001",
                           "2026-01-01T0 :00:00Z",
                           "-026-01-01T00:00:00Z"}) {
    EXPECT_EQ(read(text), "malformed") << text;
  }
}

TEST(Timestamp, HoldsTheFirstAndTheLastMillisecondAndNoOther) {
  using std::chrono::milliseconds;
  const auto first = Timestamp::parse("0001-01-01T00:00:00Z").value();
  const auto last = Timestamp::parse("9999-12-31T23:59:59.999Z").value();
  EXPECT_EQ(Timestamp::from_time(first.time()).value(), first);
  EXPECT_EQ(Timestamp::from_time(last.time()).value(), last);
  EXPECT_FALSE(Timestamp::from_time(first.time() - milliseconds(1)));
  EXPECT_FALSE(Timestamp::from_time(last.time() + milliseconds(1)));
  EXPECT_FALSE(Timestamp::from_time(Timestamp::Time::max()));
}

RC_GTEST_PROP(Timestamp, ComesBackFromItsTextAndSortsLikeIt, ()) {
  const Timestamp a = *generate_timestamp(), b = *generate_timestamp();
  RC_ASSERT(Timestamp::parse(a.to_text()).value() == a);
  RC_ASSERT(a.to_text().size() == 24u);
  RC_ASSERT((a < b) == (a.to_text() < b.to_text()));
}

}  // namespace
}  // namespace fermata
