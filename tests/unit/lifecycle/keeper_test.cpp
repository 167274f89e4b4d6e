#include "lifecycle/keeper.hpp"

#include <gtest/gtest.h>

#include "unit/lifecycle/keeper_driver.hpp"

namespace fermata::lifecycle {
namespace {

constexpr auto kGrace = seconds(5);

// On, demanded, in the background with a grace; silent audio held.
KeeperDriver held_in_background() {
  KeeperDriver it;
  it.intent(true);
  it.demand(true);
  it.state(AppState::Background, kGrace);
  it.audio(StrategyEvent::Held);
  it.taken();
  return it;
}

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
  EXPECT_EQ(it.keeper().next_deadline(), std::nullopt) << "nothing to wake up for";
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

TEST(Keeper, WithoutIntentUsesTheGraceAndPausesBeforeItsEnd) {
  KeeperDriver it;
  it.demand(true);
  it.state(AppState::Background, kGrace);
  it.pass(milliseconds(3749));
  EXPECT_EQ(it.taken(), "");
  it.pass(milliseconds(1));
  EXPECT_EQ(it.taken(), "pause 937");
  it.paused();
  EXPECT_EQ(it.taken(), "ready");
  it.state(AppState::Foreground);
  EXPECT_EQ(it.taken(), "resume");
}

TEST(Keeper, PlaysNothingWhenThereIsNothingToSync) {
  KeeperDriver it;
  it.intent(true);
  it.state(AppState::Background, kGrace);
  it.pass(seconds(5));
  EXPECT_EQ(it.taken(), "pause 937");
}

TEST(Keeper, LetsGoWhenTheDemandEnds) {
  auto it = held_in_background();
  it.pass(seconds(60));
  it.demand(false);
  EXPECT_EQ(it.taken(), "pause 1125") << "held until sync is paused, or the system would be faster";
  it.paused();
  EXPECT_EQ(it.taken(), "release silent_audio, ready");
}

TEST(Keeper, AcquiresWhenDemandArisesInTheBackground) {
  KeeperDriver it;
  it.intent(true);
  it.state(AppState::Background, kGrace);
  it.pass(seconds(1));
  it.demand(true);
  EXPECT_EQ(it.taken(), "acquire silent_audio");
}

TEST(Keeper, AcquiresWhenSwitchedOnInTheBackground) {
  KeeperDriver it;
  it.demand(true);
  it.state(AppState::Background, kGrace);
  it.intent(true);
  EXPECT_EQ(it.taken(), "acquire silent_audio");
}

TEST(Keeper, SwitchedOnAfterThePauseItTriesAndResumesOnlyOnceHeld) {
  KeeperDriver it;
  it.demand(true);
  it.state(AppState::Background, kGrace);
  it.pass(seconds(5));
  it.paused();
  it.taken();
  it.intent(true);
  EXPECT_EQ(it.taken(), "acquire silent_audio");
  it.audio(StrategyEvent::Held);
  EXPECT_EQ(it.taken(), "resume");
}

TEST(Keeper, AfterThePauseARefusalIsFinal) {
  KeeperDriver it;
  it.demand(true);
  it.state(AppState::Background, kGrace);
  it.pass(seconds(5));
  it.paused();
  it.intent(true);
  it.taken();
  it.audio(StrategyEvent::Refused);
  it.pass(std::chrono::hours(1));
  EXPECT_EQ(it.taken(), "release silent_audio");
  EXPECT_EQ(it.keeper().next_deadline(), std::nullopt);
}

TEST(Keeper, StopWithinTheGraceReleasesAtOnce) {
  auto it = held_in_background();
  it.intent(false);
  EXPECT_EQ(it.taken(), "release silent_audio");
  it.pass(seconds(5));
  EXPECT_EQ(it.taken(), "pause 937");
}

TEST(Keeper, StopAfterTheGracePausesThenReleases) {
  auto it = held_in_background();
  it.pass(seconds(60));
  it.intent(false);
  EXPECT_EQ(it.taken(), "pause 1125");
  it.paused();
  EXPECT_EQ(it.taken(), "release silent_audio, ready");
  EXPECT_FALSE(it.status().is_on);
}

TEST(Keeper, StopDuringACallReleasesBridgeAndAudio) {
  auto it = held_in_background();
  it.pass(seconds(60));
  it.audio(StrategyEvent::Interrupted);
  it.task(StrategyEvent::Held, seconds(30));
  it.pass(seconds(6));
  it.taken();
  it.intent(false);
  EXPECT_EQ(it.taken(), "pause 1125");
  it.paused();
  EXPECT_EQ(it.taken(), "release silent_audio, release task_assertion, ready");
}

TEST(Keeper, IsOnTellsTheIntentWhateverHappens) {
  KeeperDriver it;
  EXPECT_FALSE(it.status().is_on);
  it.intent(true);
  EXPECT_TRUE(it.status().is_on);
  it.demand(true);
  it.state(AppState::Background, kGrace);
  it.audio(StrategyEvent::Refused);
  EXPECT_TRUE(it.status().is_on);
  EXPECT_FALSE(it.status().holding);
}

TEST(Keeper, AForegroundDuringThePauseResumesAfterIt) {
  KeeperDriver it;
  it.demand(true);
  it.state(AppState::Background, kGrace);
  it.pass(seconds(4));
  EXPECT_EQ(it.taken(), "pause 937");
  it.state(AppState::Foreground);
  EXPECT_EQ(it.taken(), "") << "one thing after the other";
  it.paused();
  EXPECT_EQ(it.taken(), "resume");
}

TEST(Keeper, AudioRecoveredDuringThePauseResumesAfterIt) {
  auto it = held_in_background();
  it.audio(StrategyEvent::Interrupted);
  it.task(StrategyEvent::Held, seconds(30));
  it.task(StrategyEvent::Expired, seconds(5));
  it.taken();
  it.audio(StrategyEvent::InterruptionEnded);
  it.pass(Keeper::kRetryDelay);
  it.audio(StrategyEvent::Held);
  EXPECT_EQ(it.taken(), "release silent_audio, acquire silent_audio, release task_assertion");
  it.paused();
  EXPECT_EQ(it.taken(), "resume");
}

TEST(Keeper, WhatIsPausedCannotTakeItsDemandBack) {
  auto it = held_in_background();
  it.audio(StrategyEvent::Interrupted);
  it.task(StrategyEvent::Refused);
  it.pass(seconds(4));
  it.demand(false);
  it.paused();
  it.taken();
  it.audio(StrategyEvent::InterruptionEnded);
  it.pass(Keeper::kRetryDelay);
  EXPECT_EQ(it.taken(), "release silent_audio, acquire silent_audio");
}

TEST(Keeper, TerminatingPausesAtOnceThenReleases) {
  auto it = held_in_background();
  it.state(AppState::Terminating, seconds(2));
  EXPECT_EQ(it.taken(), "pause 1500");
  it.paused();
  EXPECT_EQ(it.taken(), "release silent_audio, ready");
}

TEST(Keeper, WithoutAKnownGraceSyncIsNotPaused) {
  KeeperDriver it;
  it.demand(true);
  it.state(AppState::Background);
  it.pass(std::chrono::hours(1));
  EXPECT_EQ(it.taken(), "");
}

TEST(Keeper, AnInterruptionOnTheWayOutIsBridgedOnceInTheBackground) {
  KeeperDriver it;
  it.intent(true);
  it.demand(true);
  it.state(AppState::Inactive);
  it.audio(StrategyEvent::Held);
  it.audio(StrategyEvent::Interrupted);
  EXPECT_EQ(it.taken(), "acquire silent_audio");
  it.state(AppState::Background, kGrace);
  EXPECT_EQ(it.taken(), "acquire task_assertion");
  EXPECT_EQ(it.status().interruptions, 1u);
}

TEST(Keeper, IgnoresEventsOfWhatItDoesNotHold) {
  KeeperDriver it;
  it.intent(true);
  it.demand(true);
  it.audio(StrategyEvent::Interrupted);
  it.audio(StrategyEvent::Held);
  it.task(StrategyEvent::Expired, seconds(1));
  EXPECT_EQ(it.taken(), "");
  EXPECT_EQ(it.status().interruptions, 0u);
  EXPECT_FALSE(it.status().holding);
}

TEST(Keeper, SaysWhyInOneSentence) {
  auto it = held_in_background();
  EXPECT_EQ(it.status().reason, "Silent audio keeps the app running in the background.");
  it.audio(StrategyEvent::Interrupted);
  it.task(StrategyEvent::Held, seconds(30));
  EXPECT_EQ(it.status().reason, "Silent audio is interrupted; a task assertion keeps the app running for a while.");
  it.state(AppState::Foreground);
  EXPECT_EQ(it.status().reason, "The app is on the screen; sync runs and needs no help.");
}

TEST(Names, AreThoseOfTheLogs) {
  EXPECT_EQ(name_of(AppState::Foreground), "foreground");
  EXPECT_EQ(name_of(Strategy::SilentAudio), "silent_audio");
  EXPECT_EQ(name_of(StrategyEvent::InterruptionEnded), "interruption_ended");
}

}  // namespace
}  // namespace fermata::lifecycle
