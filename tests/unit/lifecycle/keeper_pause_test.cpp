#include "lifecycle/keeper.hpp"

#include <gtest/gtest.h>

#include "unit/lifecycle/keeper_driver.hpp"

namespace fermata::lifecycle {
namespace {

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

TEST(Keeper, IsReadyAtOnceForAMachineThatSleepsWhileItIsPausedAlready) {
  KeeperDriver it;
  it.state(AppState::Background, kGrace);
  it.pass(kGrace);
  it.paused();
  it.taken();
  it.state(AppState::Suspended, seconds(5));
  EXPECT_EQ(it.taken(), "ready");
}

TEST(Names, AreThoseOfTheLogs) {
  EXPECT_EQ(name_of(AppState::Foreground), "foreground");
  EXPECT_EQ(name_of(Strategy::SilentAudio), "silent_audio");
  EXPECT_EQ(name_of(StrategyEvent::InterruptionEnded), "interruption_ended");
}

}  // namespace
}  // namespace fermata::lifecycle
