#include "lifecycle/keeper.hpp"

#include <gtest/gtest.h>

#include "unit/lifecycle/keeper_driver.hpp"

namespace fermata::lifecycle {
namespace {

TEST(Keeper, DoesNothingInTheForeground) {
  KeeperDriver it;
  it.intent(true);
  it.demand(true);
  it.pass(std::chrono::hours(1));
  EXPECT_EQ(it.taken(), "");
  EXPECT_EQ(it.keeper().next_deadline(), std::nullopt);
  EXPECT_TRUE(it.status().syncing);
  EXPECT_FALSE(it.status().holding);
}

TEST(Keeper, AcquiresSilentAudioBeforeTheSystemCanSuspend) {
  KeeperDriver it;
  it.intent(true);
  it.demand(true);
  it.state(AppState::Inactive);
  EXPECT_EQ(it.taken(), "acquire silent_audio");
  it.audio(StrategyEvent::Held);
  it.state(AppState::Background, kGrace);
  EXPECT_EQ(it.taken(), "");
  it.state(AppState::Inactive);
  it.state(AppState::Foreground);
  EXPECT_EQ(it.taken(), "release silent_audio");
}

TEST(Keeper, KeepsSyncRunningFarBeyondTheGraceWhileSilentAudioIsHeld) {
  auto it = held_in_background();
  it.pass(std::chrono::hours(24));
  EXPECT_EQ(it.taken(), "");
  EXPECT_EQ(it.keeper().next_deadline(), it.now() + Keeper::kWatch) << "only to see whether the process runs";
  EXPECT_TRUE(it.status().holding);
  EXPECT_EQ(it.status().strategy, Strategy::SilentAudio);
}

TEST(Keeper, BeginsTheBridgeTheMomentAnInterruptionBegins) {
  auto it = held_in_background();
  it.pass(seconds(60));
  it.audio(StrategyEvent::Interrupted);
  EXPECT_EQ(it.taken(), "acquire task_assertion");
}

TEST(Keeper, AcquiresAgainOnlyAfterTheInterruptionEndedAndADelay) {
  auto it = held_in_background();
  it.audio(StrategyEvent::Interrupted);
  it.task(StrategyEvent::Held, seconds(30));
  EXPECT_EQ(it.taken(), "acquire task_assertion");
  EXPECT_EQ(it.status().strategy, Strategy::TaskAssertion);
  it.pass(seconds(10));
  EXPECT_EQ(it.taken(), "") << "nothing is played during the call";
  it.audio(StrategyEvent::InterruptionEnded);
  it.pass(Keeper::kRetryDelay - milliseconds(1));
  EXPECT_EQ(it.taken(), "");
  it.pass(milliseconds(1));
  EXPECT_EQ(it.taken(), "release silent_audio, acquire silent_audio");
  it.audio(StrategyEvent::Held);
  EXPECT_EQ(it.taken(), "release task_assertion");
  EXPECT_EQ(it.status().interruptions, 1u);
  EXPECT_EQ(it.status().recoveries, 1u);
  EXPECT_TRUE(it.sync_running());
}

TEST(Keeper, RetriesWithADoublingDelayInsideTheBridge) {
  auto it = held_in_background();
  it.audio(StrategyEvent::Interrupted);
  it.task(StrategyEvent::Held, seconds(30));
  it.audio(StrategyEvent::InterruptionEnded);
  it.taken();
  it.pass(milliseconds(500));
  EXPECT_EQ(it.taken(), "release silent_audio, acquire silent_audio");
  for (const auto delay : {milliseconds(500), milliseconds(1000), milliseconds(2000), milliseconds(4000)}) {
    it.audio(StrategyEvent::Refused);
    EXPECT_EQ(it.taken(), "release silent_audio");
    it.pass(delay - milliseconds(1));
    EXPECT_EQ(it.taken(), "");
    it.pass(milliseconds(1));
    EXPECT_EQ(it.taken(), "acquire silent_audio");
  }
  it.audio(StrategyEvent::Held);
  EXPECT_EQ(it.taken(), "release task_assertion");
  EXPECT_EQ(it.status().interruptions, 1u);
  EXPECT_EQ(it.status().recoveries, 1u);
}

TEST(Keeper, InsideTheBridgeItNeverWaitsLong) {
  auto it = held_in_background();
  it.audio(StrategyEvent::Lost);
  it.task(StrategyEvent::Held, seconds(60));
  for (int i = 0; i < 10; ++i) {
    it.pass(Keeper::kBridgedRetryDelay);
    ASSERT_TRUE(it.acquired(Strategy::SilentAudio)) << i;
    it.audio(StrategyEvent::Refused);
  }
}

TEST(Keeper, TheRetryDelayIsBoundedAndStartsAnewOnceHeld) {
  KeeperDriver it({Strategy::SilentAudio});
  it.intent(true);
  it.demand(true);
  it.state(AppState::Background);
  for (int i = 0; i < 20; ++i) {
    it.audio(StrategyEvent::Refused);
    it.pass(Keeper::kMaxRetryDelay);
  }
  it.taken();
  it.audio(StrategyEvent::Held);
  it.audio(StrategyEvent::Lost);
  EXPECT_EQ(it.taken(), "release silent_audio");
  it.pass(Keeper::kRetryDelay);
  EXPECT_EQ(it.taken(), "acquire silent_audio");
}

TEST(Keeper, BuildsSilentAudioAnewWhenItsServerDies) {
  auto it = held_in_background();
  it.audio(StrategyEvent::Lost);
  EXPECT_EQ(it.taken(), "release silent_audio, acquire task_assertion");
  it.task(StrategyEvent::Held, seconds(30));
  it.pass(Keeper::kRetryDelay);
  EXPECT_EQ(it.taken(), "acquire silent_audio");
  it.audio(StrategyEvent::Held);
  EXPECT_EQ(it.taken(), "release task_assertion");
  EXPECT_EQ(it.status().recoveries, 1u);
}

TEST(Keeper, PausesInTimeWhenTheBridgeExpiresAndThenEndsIt) {
  auto it = held_in_background();
  it.pass(seconds(60));
  it.audio(StrategyEvent::Interrupted);
  it.task(StrategyEvent::Held, seconds(30));
  it.taken();
  it.pass(seconds(25));
  it.task(StrategyEvent::Expired, seconds(5));
  EXPECT_EQ(it.taken(), "pause 3750") << "a quarter of the five seconds is kept back";
  it.pass(seconds(1));
  it.paused();
  EXPECT_EQ(it.taken(), "release task_assertion, ready");
  EXPECT_FALSE(it.status().syncing);
}

TEST(Keeper, KeepsAReserveOfAtMostTheConstant) {
  auto it = held_in_background();
  it.audio(StrategyEvent::Interrupted);
  it.task(StrategyEvent::Held, seconds(60));
  it.taken();
  it.task(StrategyEvent::Expired, seconds(20));
  EXPECT_EQ(it.taken(), "pause 18500");
}

TEST(Keeper, DoesNotWaitForAnExpiryThatIsNeverTold) {
  auto it = held_in_background();
  it.audio(StrategyEvent::Interrupted);
  it.task(StrategyEvent::Held, seconds(20));
  it.taken();
  it.pass(milliseconds(18499));
  EXPECT_EQ(it.taken(), "");
  it.pass(milliseconds(1));
  EXPECT_EQ(it.taken(), "pause 1125");
}

TEST(Keeper, AnInterruptionThatOutlastsTheBridgeResumesSyncWhenItEnds) {
  auto it = held_in_background();
  it.audio(StrategyEvent::Interrupted);
  it.task(StrategyEvent::Held, seconds(30));
  it.task(StrategyEvent::Expired, seconds(5));
  it.paused();
  it.taken();
  it.audio(StrategyEvent::InterruptionEnded);
  it.pass(Keeper::kRetryDelay);
  EXPECT_EQ(it.taken(), "release silent_audio, acquire silent_audio");
  it.audio(StrategyEvent::Held);
  EXPECT_EQ(it.taken(), "resume");
  EXPECT_EQ(it.status().recoveries, 1u);
}

TEST(Keeper, ReturningToTheForegroundRecoversFromAnInterruptionThatNeverEnds) {
  auto it = held_in_background();
  it.audio(StrategyEvent::Interrupted);
  it.task(StrategyEvent::Refused);
  it.taken();
  it.pass(seconds(5));
  it.paused();
  EXPECT_EQ(it.taken(), "pause 937, ready");
  it.pass(std::chrono::hours(8));
  it.state(AppState::Foreground);
  EXPECT_EQ(it.taken(), "release silent_audio, resume");
  it.state(AppState::Background, kGrace);
  EXPECT_EQ(it.taken(), "acquire silent_audio") << "the next time starts afresh";
}

TEST(Keeper, ProbesAnInterruptionWhoseEndIsNeverTold) {
  auto it = held_in_background();
  it.audio(StrategyEvent::Interrupted);
  it.task(StrategyEvent::Held);
  it.taken();
  it.pass(Keeper::kMaxRetryDelay);
  EXPECT_EQ(it.taken(), "release silent_audio, acquire silent_audio");
  it.audio(StrategyEvent::Interrupted);
  EXPECT_EQ(it.status().interruptions, 1u) << "it is still the same one";
  it.pass(Keeper::kMaxRetryDelay);
  it.audio(StrategyEvent::Held);
  EXPECT_EQ(it.status().recoveries, 1u);
}

TEST(Keeper, ABridgeThatIsRefusedLeavesTheGrace) {
  auto it = held_in_background();
  it.pass(std::chrono::hours(1));
  it.audio(StrategyEvent::Interrupted);
  it.task(StrategyEvent::Refused);
  EXPECT_EQ(it.taken(), "acquire task_assertion, release task_assertion");
  it.pass(milliseconds(3749));
  EXPECT_EQ(it.taken(), "");
  it.pass(milliseconds(1));
  EXPECT_EQ(it.taken(), "pause 937");
}

TEST(Keeper, BridgesWhileTheFirstAcquireIsSlow) {
  KeeperDriver it;
  it.intent(true);
  it.demand(true);
  it.state(AppState::Background, kGrace);
  EXPECT_EQ(it.taken(), "acquire silent_audio");
  it.pass(Keeper::kRetryDelay);
  EXPECT_EQ(it.taken(), "acquire task_assertion");
  it.audio(StrategyEvent::Held);
  EXPECT_EQ(it.taken(), "release task_assertion");
}

TEST(Keeper, ATaskAssertionAloneIsHeldUntilItExpires) {
  KeeperDriver it({Strategy::TaskAssertion});
  it.intent(true);
  it.demand(true);
  it.state(AppState::Background, kGrace);
  EXPECT_EQ(it.taken(), "acquire task_assertion");
  it.task(StrategyEvent::Held, seconds(30));
  it.pass(seconds(25));
  EXPECT_EQ(it.taken(), "");
  it.task(StrategyEvent::Expired, seconds(5));
  it.paused();
  EXPECT_EQ(it.taken(), "pause 3750, release task_assertion, ready");
}

}  // namespace
}  // namespace fermata::lifecycle
