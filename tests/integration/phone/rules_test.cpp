// The rules alone, on virtual time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "integration/phone/rules_bench.hpp"

namespace fermata::phone {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

TEST(PhoneRules, FreezeExactlyWhenTheGraceIsOver) {
  Bench bench;
  bench.rules.background(bench.now);
  bench.advance(milliseconds(4999));
  EXPECT_EQ(bench.freezes, 0);
  bench.advance(milliseconds(1));
  EXPECT_EQ(bench.freezes, 1);
  bench.rules.foreground(bench.now);
  bench.advance(milliseconds(60'000));
  EXPECT_EQ(bench.thaws, 1);
  EXPECT_THAT(bench.told, ElementsAre("state background time_left_ms=5000", "state foreground"));
}

TEST(PhoneRules, TheGraceStartsAnewWhenAnExemptionEnds) {
  Bench bench;
  bench.rules.background(bench.now);
  bench.advance(milliseconds(4000));
  bench.rules.playing(bench.now);
  bench.advance(milliseconds(100'000));
  bench.rules.not_playing(bench.now);
  bench.advance(milliseconds(4999));
  EXPECT_EQ(bench.freezes, 0);
  bench.advance(milliseconds(1));
  EXPECT_EQ(bench.freezes, 1);
}

TEST(PhoneRules, ReadyFreezesAtOnceButNotWhileExempt) {
  Bench bench;
  bench.rules.playing(bench.now);
  bench.rules.background(bench.now);
  bench.rules.ready(bench.now);
  bench.advance(milliseconds(0));
  EXPECT_EQ(bench.freezes, 0);
  bench.rules.not_playing(bench.now);
  bench.advance(milliseconds(0));
  EXPECT_EQ(bench.freezes, 1);
}

TEST(PhoneRules, ReadyInTheForegroundMeansNothingLater) {
  Bench bench;
  bench.rules.ready(bench.now);
  bench.rules.background(bench.now);
  bench.advance(milliseconds(4999));
  EXPECT_EQ(bench.freezes, 0);
}

TEST(PhoneRules, ATaskExpiresWithNoticeAndKillsWhenItIsNotEnded) {
  Bench bench;
  bench.rules.background(bench.now);
  bench.rules.task_begin(1, "save", bench.now);
  bench.advance(milliseconds(24'999));
  EXPECT_THAT(bench.told, Not(Contains("task expiring save time_left_ms=5000")));
  bench.advance(milliseconds(1));
  EXPECT_THAT(bench.told, Contains("task expiring save time_left_ms=5000"));
  bench.advance(milliseconds(5999));
  EXPECT_TRUE(bench.kills.empty());
  bench.advance(milliseconds(1));
  EXPECT_EQ(bench.kills.size(), 1U);
  EXPECT_EQ(bench.freezes, 0);
}

TEST(PhoneRules, ATaskEndedInTimeLeadsToTheGraceAndNotToAKill) {
  Bench bench;
  bench.rules.background(bench.now);
  bench.rules.task_begin(1, "save", bench.now);
  bench.advance(milliseconds(26'000));
  bench.rules.task_end(1, "save", bench.now);
  bench.advance(milliseconds(4999));
  EXPECT_EQ(bench.freezes, 0);
  bench.advance(milliseconds(1));
  EXPECT_EQ(bench.freezes, 1);
  EXPECT_TRUE(bench.kills.empty());
}

TEST(PhoneRules, ATaskOfAConnectionThatIsGoneHasEnded) {
  Bench bench;
  bench.rules.background(bench.now);
  bench.rules.task_begin(7, "save", bench.now);
  bench.rules.client_gone(7, bench.now);
  bench.advance(milliseconds(5000));
  EXPECT_EQ(bench.freezes, 1);
}

TEST(PhoneRules, PlayingGivesTheTaskBudgetBack) {
  Bench bench;
  bench.rules.background(bench.now);
  bench.rules.task_begin(1, "a", bench.now);
  bench.advance(milliseconds(20'000));
  bench.rules.playing(bench.now);
  bench.advance(milliseconds(100'000));
  bench.rules.not_playing(bench.now);
  bench.rules.task_begin(1, "b", bench.now);
  bench.take();
  EXPECT_THAT(bench.told, Contains("task granted b time_left_ms=30000"));
}

TEST(PhoneRules, APolicyWithoutTasksRefusesThem) {
  Policy policy = test_policy();
  policy.task = {};
  Bench bench(policy);
  bench.rules.task_begin(1, "a", bench.now);
  bench.take();
  EXPECT_THAT(bench.told, ElementsAre("task refused a unsupported"));
}

TEST(PhoneRules, HelloIsAnsweredWithTheStateAsItIsNow) {
  Bench bench;
  bench.rules.background(bench.now);
  bench.advance(milliseconds(2000));
  bench.rules.hello(3, bench.now);
  bench.take();
  EXPECT_EQ(bench.told.back(), "state background time_left_ms=3000");
}

// Tells the rules of a steady use, as the phone does.
void work(Bench& bench, double share, milliseconds span) {
  static std::chrono::nanoseconds total{0};
  for (const Instant end = bench.now + span; bench.now < end;) {
    bench.rules.cpu_used(total, bench.now);
    bench.advance(bench.rules.cpu_interval());
    total += std::chrono::duration_cast<std::chrono::nanoseconds>(
        share * std::chrono::duration<double>(bench.rules.cpu_interval()));
  }
}

TEST(PhoneRules, WhoWorksTooMuchInTheBackgroundIsKilled) {
  Policy policy = test_policy();
  policy.cpu = {15, Millis(60'000)};
  Bench bench(policy);
  bench.rules.playing(bench.now);
  work(bench, 1, milliseconds(60'000));  // in the foreground everything is allowed
  bench.rules.background(bench.now);
  work(bench, 0.14, std::chrono::minutes(10));
  EXPECT_TRUE(bench.kills.empty());
  work(bench, 0.3, milliseconds(1500));  // a short burst as well
  EXPECT_TRUE(bench.kills.empty());
  work(bench, 0.3, milliseconds(60'000));
  ASSERT_EQ(bench.kills.size(), 1U);
  EXPECT_THAT(bench.kills.front(), testing::StartsWith("cpu: "));
}

Policy window_policy() {
  Policy policy = test_policy();
  policy.task = {};
  policy.audio = AudioRule::Ignored;
  policy.player = PlayerRule::Exempts;
  policy.maintenance = {{Millis(300'000), Millis(600'000)}, {Millis(30'000), Millis(50'000)}};
  return policy;
}

TEST(PhoneRules, MaintenanceWindowsLetAFrozenProgramRunAndTheLastOneRepeats) {
  Bench bench(window_policy());
  bench.rules.background(bench.now);
  bench.advance(milliseconds(5000));
  EXPECT_EQ(bench.freezes, 1);
  for (const auto& [closed, open] : {std::pair(300'000, 30'000), {600'000, 50'000}, {600'000, 50'000}}) {
    const int freezes = bench.freezes;
    bench.advance(milliseconds(closed - 1));
    EXPECT_TRUE(bench.rules.is_frozen());
    bench.advance(milliseconds(1));
    EXPECT_FALSE(bench.rules.is_frozen());
    EXPECT_EQ(bench.told.back(), "state background time_left_ms=" + std::to_string(open));
    bench.advance(milliseconds(open - 1));
    EXPECT_FALSE(bench.rules.is_frozen());
    bench.advance(milliseconds(1));
    EXPECT_EQ(bench.freezes, freezes + 1);
  }
}

TEST(PhoneRules, ReadyEndsAMaintenanceWindowAndTheForegroundStartsThemAnew) {
  Bench bench(window_policy());
  bench.rules.background(bench.now);
  bench.rules.ready(bench.now);
  bench.advance(milliseconds(300'000));
  EXPECT_FALSE(bench.rules.is_frozen());
  bench.rules.ready(bench.now);
  bench.advance(milliseconds(0));
  EXPECT_TRUE(bench.rules.is_frozen());
  bench.rules.foreground(bench.now);
  bench.rules.background(bench.now);
  bench.advance(milliseconds(5000 + 300'000));
  EXPECT_EQ(bench.told.back(), "state background time_left_ms=30000");
}

TEST(PhoneRules, APolicyMayLookAtMediaPlayersInsteadOfAudio) {
  Bench bench(window_policy());
  bench.rules.playing(bench.now);
  bench.rules.background(bench.now);
  bench.advance(milliseconds(4000));
  bench.rules.player_playing(bench.now);
  bench.advance(milliseconds(100'000));
  EXPECT_EQ(bench.freezes, 0);
  bench.rules.player_not_playing(bench.now);
  bench.advance(milliseconds(5000));
  EXPECT_EQ(bench.freezes, 1);
}

TEST(PhoneRules, InactiveIsToldAndIsNoReasonToSuspend) {
  Bench bench;
  bench.rules.inactive(bench.now);
  bench.advance(std::chrono::hours(1));
  bench.rules.background(bench.now);
  bench.advance(milliseconds(5000));
  bench.rules.inactive(bench.now);
  bench.take();
  EXPECT_EQ(bench.freezes, 1);
  EXPECT_EQ(bench.thaws, 1);
  EXPECT_THAT(bench.told, ElementsAre("state inactive", "state background time_left_ms=5000", "state inactive"));
}

// Whatever a program does: it is never frozen in the foreground, never while it plays, and without audio it never runs
// in the background for longer than the whole budget, its overrun and one grace.
RC_GTEST_PROP(PhoneRules, NoProgramOutlivesItsBudgetWithoutAudio, ()) {
  Bench bench;
  std::optional<Instant> silent_since;  // in the background, without audio
  const int steps = *rc::gen::inRange(1, 60);
  for (int i = 0; i < steps; ++i) {
    const int before = bench.freezes;
    const bool could_freeze = bench.rules.is_background() && !bench.rules.is_playing();
    switch (*rc::gen::inRange(0, 8)) {
      case 0:
        bench.rules.background(bench.now);
        break;
      case 1:
        bench.rules.foreground(bench.now);
        break;
      case 2:
        if (!bench.rules.is_frozen()) bench.rules.playing(bench.now);
        break;
      case 3:
        bench.rules.not_playing(bench.now);
        break;
      case 4:
        if (!bench.rules.is_frozen()) bench.rules.task_begin(1, "a", bench.now);
        break;
      case 5:
        bench.rules.task_end(1, "a", bench.now);
        break;
      case 6:
        if (!bench.rules.is_frozen()) bench.rules.ready(bench.now);
        break;
      default:
        bench.advance(milliseconds(*rc::gen::inRange(0, 12'000)));
        break;
    }
    bench.take();
    if (bench.freezes > before) RC_ASSERT(could_freeze || (bench.rules.is_background() && !bench.rules.is_playing()));
    const bool silent = bench.rules.is_background() && !bench.rules.is_playing();
    if (!silent) silent_since.reset();
    if (silent && !silent_since) silent_since = bench.now;
    if (silent && bench.now - *silent_since > milliseconds(30'000 + 1000 + 5000))
      RC_ASSERT(bench.rules.is_frozen() || !bench.kills.empty());
    RC_ASSERT(bench.rules.is_background() || !bench.rules.is_frozen());
  }
}

}  // namespace
}  // namespace fermata::phone
