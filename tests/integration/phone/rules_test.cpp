// The rules alone, on virtual time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "phone/rules.hpp"

namespace fermata::phone {
namespace {

using std::chrono::milliseconds;
using testing::Contains;
using testing::ElementsAre;

Policy test_policy() {
  Policy policy;
  policy.grace = Millis(5000);
  policy.task.duration = Millis(30'000);
  policy.task.notice = Millis(5000);
  policy.task.overrun = Millis(1000);
  return policy;
}

// Rules with a clock that the test moves; deadlines on the way are kept exactly.
class Bench {
 public:
  explicit Bench(const Policy& policy = test_policy()) : rules(policy, 1) {}

  void advance(milliseconds span) {
    const Instant end = now + span;
    for (auto next = rules.next_deadline(); next && *next <= end; next = rules.next_deadline()) {
      now = std::max(now, *next);
      rules.on_deadline(now);
      take();
    }
    now = end;
    take();
  }
  void take() {
    for (const Action& action : rules.take_actions()) {
      if (const auto* tell = std::get_if<Tell>(&action)) told.push_back(tell->line);
      if (std::holds_alternative<Freeze>(action)) ++freezes;
      if (std::holds_alternative<Thaw>(action)) ++thaws;
      if (const auto* kill = std::get_if<Kill>(&action)) kills.push_back(kill->reason);
    }
  }

  Rules rules;
  Instant now{1'000'000'000};
  std::vector<std::string> told;
  std::vector<std::string> kills;
  int freezes = 0;
  int thaws = 0;
};

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
  EXPECT_THAT(bench.told, testing::Not(Contains("task expiring save time_left_ms=5000")));
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
