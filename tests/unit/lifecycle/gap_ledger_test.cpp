#include "lifecycle/gap_ledger.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace fermata::lifecycle {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A ledger and the two clocks that it is told; they move together unless the test says otherwise.
struct Book {
  void pass(Duration span) {
    now += span;
    wall += std::chrono::duration_cast<milliseconds>(span);
  }
  void begin(GapCause cause, std::uint64_t unsent = 0) { ledger.begin(cause, now, wall, unsent); }
  void end() { ledger.end(now); }
  void gap(GapCause cause, Duration length) {
    begin(cause);
    pass(length);
    end();
    pass(seconds(1));
  }
  void presence(std::size_t linked, bool wanted = true) { ledger.set_presence({linked, wanted}, now, wall); }
  void wait(Duration span) {
    pass(span);
    ledger.on_deadline(now);
  }
  // Such as "0 interrupted 5000, 6000 off open": begin, cause, length in ms.
  std::string text() const {
    std::string result;
    for (const Gap& gap : ledger.gaps()) {
      result += fmt::format("{}{} {} {}", result.empty() ? "" : ", ", (gap.begin - Gap::Wall(seconds(1000))).count(),
                            name_of(gap.cause), gap.length ? std::to_string(gap.length->count()) : "open");
    }
    return result;
  }

  GapLedger ledger;
  Instant now{std::chrono::hours(1)};
  Gap::Wall wall{seconds(1000)};
};

TEST(GapLedger, KeepsWhenHowLongAndWhy) {
  Book it;
  it.begin(GapCause::Interrupted, 7);
  EXPECT_EQ(it.text(), "0 interrupted open");
  it.pass(seconds(5));
  it.end();
  EXPECT_EQ(it.text(), "0 interrupted 5000");
  EXPECT_EQ(it.ledger.gaps()[0].changes_unsent, 7u);
}

TEST(GapLedger, WhatAPauseLeftUnsentIsCorrectedWhileItLasts) {
  Book it;
  it.ledger.set_unsent(9);
  it.begin(GapCause::Off, 7);
  it.ledger.set_unsent(2);
  it.pass(seconds(5));
  it.end();
  it.ledger.set_unsent(9);
  ASSERT_EQ(it.ledger.gaps().size(), 1u);
  EXPECT_EQ(it.ledger.gaps()[0].changes_unsent, 2u);
}

TEST(GapLedger, WhoeverOnlyLooksSeesTheOpenGapAsOpen) {
  Book it;
  it.gap(GapCause::Off, seconds(1));
  it.begin(GapCause::Expired);
  const auto gaps = gaps_in(it.ledger.encode());
  ASSERT_EQ(gaps.size(), 2u);
  EXPECT_EQ(gaps[0].length, seconds(1));
  EXPECT_EQ(gaps[1].length, std::nullopt);
  EXPECT_EQ(gaps[1].cause, GapCause::Expired);
  EXPECT_TRUE(gaps_in("{").empty());
}

TEST(GapLedger, AJumpOfTheWallClockDoesNotChangeALength) {
  Book it;
  it.begin(GapCause::Expired);
  it.pass(seconds(5));
  it.wall -= std::chrono::hours(1);
  it.end();
  EXPECT_EQ(it.text(), "0 expired 5000");
}

TEST(GapLedger, AnEndWithoutABeginIsNothing) {
  Book it;
  it.end();
  EXPECT_EQ(it.text(), "");
  it.presence(0);
  it.wait(seconds(10));
  it.end();
  EXPECT_EQ(it.text(), "0 no_peers open") << "only a link ends that";
}

TEST(GapLedger, ANewBeginEndsWhatIsOpen) {
  Book it;
  it.begin(GapCause::Off);
  it.pass(seconds(2));
  it.begin(GapCause::Conditions);
  EXPECT_EQ(it.text(), "0 off 2000, 2000 conditions open");
}

TEST(GapLedger, TheCatchUpBelongsToTheLastClosedGap) {
  Book it;
  it.ledger.note_catch_up(1, seconds(1));
  it.gap(GapCause::Off, seconds(1));
  it.gap(GapCause::Interrupted, seconds(3));
  it.ledger.note_catch_up(40, milliseconds(20));
  it.ledger.note_catch_up(2, milliseconds(5));
  const auto gaps = it.ledger.gaps();
  EXPECT_EQ(gaps[0].changes_missed, 0u);
  EXPECT_EQ(gaps[0].catch_up, std::nullopt);
  EXPECT_EQ(gaps[1].changes_missed, 42u) << "from two peers";
  EXPECT_EQ(gaps[1].catch_up, milliseconds(20)) << "the slower one";
}

TEST(GapLedger, ASeenSuspensionIsAGapOfItsOwn) {
  Book it;
  it.pass(seconds(100));
  it.ledger.seen_suspension(it.now - seconds(30), it.now, it.wall);
  EXPECT_EQ(it.text(), "70000 suspended 30000");
}

TEST(GapLedger, ASuspensionInsideAPauseIsPartOfIt) {
  Book it;
  it.begin(GapCause::Off);
  it.pass(seconds(100));
  it.ledger.seen_suspension(it.now - seconds(30), it.now, it.wall);
  it.end();
  EXPECT_EQ(it.text(), "0 off 100000");
}

TEST(GapLedger, ASuspensionEndsLonelinessAndBeginsItAnew) {
  Book it;
  it.presence(0);
  it.wait(seconds(20));
  it.pass(seconds(100));
  it.ledger.seen_suspension(it.now - seconds(90), it.now, it.wall);
  EXPECT_EQ(it.text(), "0 no_peers 30000, 30000 suspended 90000");
  it.wait(seconds(10));
  EXPECT_EQ(it.text(), "0 no_peers 30000, 30000 suspended 90000, 120000 no_peers open");
}

TEST(GapLedger, TenSecondsWithoutAPeerAreAGapFromTheirBeginning) {
  Book it;
  it.presence(1);
  EXPECT_EQ(it.ledger.next_deadline(), std::nullopt);
  it.pass(seconds(5));
  it.presence(0);
  EXPECT_EQ(it.ledger.next_deadline(), it.now + seconds(10));
  it.wait(milliseconds(9999));
  EXPECT_EQ(it.text(), "");
  it.wait(milliseconds(1));
  EXPECT_EQ(it.text(), "5000 no_peers open");
  EXPECT_EQ(it.ledger.next_deadline(), std::nullopt);
  it.pass(seconds(50));
  it.presence(0);
  EXPECT_EQ(it.text(), "5000 no_peers open") << "told again, still alone";
  it.presence(1);
  EXPECT_EQ(it.text(), "5000 no_peers 60000");
}

TEST(GapLedger, APeerThatReturnsInTimeLeavesNoGap) {
  Book it;
  it.presence(0);
  it.wait(seconds(9));
  it.presence(2);
  it.wait(seconds(60));
  EXPECT_EQ(it.text(), "");
}

TEST(GapLedger, NobodyIsMissedWhileSyncIsNotWantedOrPaused) {
  Book it;
  it.presence(0, false);
  EXPECT_EQ(it.ledger.next_deadline(), std::nullopt);
  it.presence(0, true);
  it.wait(seconds(10));
  it.begin(GapCause::Off);
  it.presence(0, true);
  it.wait(seconds(60));
  EXPECT_EQ(it.text(), "0 no_peers 10000, 10000 off open");
  it.end();
  it.wait(seconds(10));
  EXPECT_EQ(it.text(), "0 no_peers 10000, 10000 off 60000, 70000 no_peers open") << "after the pause it counts anew";
  it.presence(0, false);
  EXPECT_EQ(it.text(), "0 no_peers 10000, 10000 off 60000, 70000 no_peers 10000");
}

TEST(GapLedger, LonelinessIsDatedByTheClockThatWasToldLast) {
  Book it;
  it.presence(0);
  it.begin(GapCause::Off);
  it.pass(seconds(60));
  it.wall += std::chrono::hours(1);
  it.end();
  it.presence(0);
  it.wait(seconds(10));
  EXPECT_EQ(it.text(), "0 off 60000, 3660000 no_peers open");
}

TEST(GapLedger, ExpectsTheMedianOfTheLastSixteenOfACause) {
  Book it;
  EXPECT_EQ(it.ledger.expected_length(GapCause::Interrupted), std::nullopt);
  it.gap(GapCause::Interrupted, seconds(30));
  it.gap(GapCause::Off, std::chrono::hours(8));
  EXPECT_EQ(it.ledger.expected_length(GapCause::Interrupted), seconds(30));
  it.gap(GapCause::Interrupted, seconds(50));
  it.gap(GapCause::Interrupted, std::chrono::hours(1));
  it.begin(GapCause::Interrupted);
  EXPECT_EQ(it.ledger.expected_length(GapCause::Interrupted), seconds(50)) << "one outlier does not count";
  it.end();
  for (int i = 0; i < 16; ++i) {
    it.gap(GapCause::Interrupted, seconds(2));
  }
  EXPECT_EQ(it.ledger.expected_length(GapCause::Interrupted), seconds(2)) << "old ones are forgotten";
}

TEST(GapLedger, KeepsTheLatestThousand) {
  Book it;
  for (int i = 0; i < 1005; ++i) {
    it.gap(GapCause::Off, seconds(1));
  }
  EXPECT_EQ(it.ledger.gaps().size(), GapLedger::kMaxGaps);
  EXPECT_EQ(it.ledger.gaps().front().begin, Gap::Wall(seconds(1010)));
  EXPECT_EQ(GapLedger::decode(it.ledger.encode(), it.wall).gaps().size(), GapLedger::kMaxGaps);
}

TEST(GapLedger, SurvivesTheProcess) {
  Book it;
  it.begin(GapCause::Interrupted, 3);
  it.pass(seconds(5));
  it.end();
  it.ledger.note_catch_up(9, milliseconds(12));
  it.gap(GapCause::Conditions, milliseconds(1));
  const auto again = GapLedger::decode(it.ledger.encode(), it.wall);
  EXPECT_EQ(again.encode(), it.ledger.encode());
  const Gap gap = again.gaps().front();
  EXPECT_EQ(gap.cause, GapCause::Interrupted);
  EXPECT_EQ(gap.length, seconds(5));
  EXPECT_EQ(gap.changes_unsent, 3u);
  EXPECT_EQ(gap.changes_missed, 9u);
  EXPECT_EQ(gap.catch_up, milliseconds(12));
}

TEST(GapLedger, AGapCutShortByTheEndOfTheProcessLastsUntilTheNext) {
  Book it;
  it.begin(GapCause::Expired, 3);
  const std::string text = it.ledger.encode();
  it.pass(std::chrono::hours(2));
  it.ledger = GapLedger::decode(text, it.wall);
  EXPECT_EQ(it.text(), "0 ended 7200000");
  it.ledger = GapLedger::decode(text, Gap::Wall(seconds(10)));
  EXPECT_EQ(it.text(), "0 ended 0") << "a clock set back makes nothing negative";
}

TEST(GapLedger, OfLonelinessCutShortOnlyTheCertainPartIsKept) {
  Book it;
  it.presence(0);
  it.wait(seconds(60));
  it.ledger = GapLedger::decode(it.ledger.encode(), it.wall + std::chrono::hours(100));
  EXPECT_EQ(it.text(), "0 no_peers 10000");
}

TEST(GapLedger, LeavesOutWhatIsDamaged) {
  for (const char* text : {"", "{", "[]", "{}", R"({"gaps":7})", R"({"gaps":[1,null,"x",[],{}]})", "\xff",
                           R"({"gaps":[{"begin":-1,"cause":"off"},{"begin":1,"cause":"no such"}]})",
                           R"({"gaps":[{"begin":1,"cause":"off","length":-4}]})",
                           R"({"gaps":[{"begin":9223372036854775807,"cause":"off","length":9223372036854775807}]})"}) {
    EXPECT_TRUE(GapLedger::decode(text, Gap::Wall(seconds(1000))).gaps().empty()) << text;
  }
  const auto ledger = GapLedger::decode(
      R"({"gaps":[{"begin":1,"cause":7},{"begin":5,"cause":"off","length":4,"missed":"many","catch_up":-1}]})",
      Gap::Wall(seconds(1000)));
  ASSERT_EQ(ledger.gaps().size(), 1u) << "one good entry is kept";
  EXPECT_EQ(ledger.gaps()[0].length, milliseconds(4));
  EXPECT_EQ(ledger.gaps()[0].changes_missed, 0u);
  EXPECT_EQ(ledger.gaps()[0].catch_up, std::nullopt);
}

TEST(GapLedger, NoSingleDamagedByteMakesAGapImpossible) {
  Book it;
  it.gap(GapCause::Interrupted, seconds(3));
  it.ledger.note_catch_up(12, milliseconds(5));
  it.begin(GapCause::Off, 4);
  const std::string text = it.ledger.encode();
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char byte : {'\0', '"', '}', ']', ',', '-', '9', 'e', '\xff'}) {
      std::string damaged = text;
      damaged[at] = byte;
      for (const auto& each : {damaged, text.substr(0, at)}) {
        const auto ledger = GapLedger::decode(each, it.wall);
        for (const Gap& gap : ledger.gaps()) {
          ASSERT_TRUE(gap.length && *gap.length >= milliseconds(0)) << each;
        }
        EXPECT_EQ(GapLedger::decode(ledger.encode(), it.wall).encode(), ledger.encode()) << each;
      }
    }
  }
}

}  // namespace
}  // namespace fermata::lifecycle
