#include <gtest/gtest.h>

#include "unit/lifecycle/keeper_driver.hpp"

namespace fermata::lifecycle {
namespace {

constexpr auto kAudio = Strategy::SilentAudio;
constexpr auto kService = Strategy::ForegroundService;
constexpr auto kTask = Strategy::TaskAssertion;

// On, demanded, in the background with a grace; nothing has answered yet.
KeeperDriver in_background(std::vector<Strategy> ladder) {
  KeeperDriver it(std::move(ladder));
  it.intent(true);
  it.demand(true);
  it.state(AppState::Background, kGrace);
  return it;
}

TEST(Ladder, TheBestIsTriedAloneAndTheNextOnlyWhenItFails) {
  auto it = in_background({kService, kAudio, kTask});
  EXPECT_EQ(it.taken(), "acquire foreground_service");
  it.event(kService, StrategyEvent::Refused);
  EXPECT_EQ(it.taken(), "release foreground_service, acquire silent_audio, acquire task_assertion");
  it.audio(StrategyEvent::Held);
  EXPECT_EQ(it.taken(), "release task_assertion");
  EXPECT_EQ(it.status().strategy, kAudio);
}

TEST(Ladder, TheNextTakesOverWhateverHappensToTheBest) {
  for (const auto event : {StrategyEvent::Interrupted, StrategyEvent::Refused, StrategyEvent::Lost,
                           StrategyEvent::Expired, StrategyEvent::Unsupported}) {
    auto it = in_background({kService, kAudio});
    it.event(kService, StrategyEvent::Held);
    it.taken();
    it.event(kService, event);
    EXPECT_TRUE(it.acquired(kAudio)) << name_of(event) << ": " << it.trace();
  }
}

TEST(Ladder, TheNextTakesOverWhenTheBestIsSlow) {
  auto it = in_background({kService, kAudio, kTask});
  it.taken();
  it.pass(Keeper::kRetryDelay);
  EXPECT_EQ(it.taken(), "acquire silent_audio, acquire task_assertion");
  it.audio(StrategyEvent::Held);
  it.taken();
  it.event(kService, StrategyEvent::Held);
  EXPECT_EQ(it.taken(), "release silent_audio") << "late, and better all the same";
}

TEST(Ladder, TheBetterOneIsRetriedWhileALesserOneIsHeldAndReleasesItOnceHeld) {
  auto it = in_background({kService, kAudio, kTask});
  it.event(kService, StrategyEvent::Refused);
  it.audio(StrategyEvent::Held);
  it.taken();
  for (const auto delay : {500, 1000, 2000}) {
    it.pass(milliseconds(delay));
    EXPECT_EQ(it.taken(), "acquire foreground_service");
    EXPECT_TRUE(it.status().holding) << "the lesser one is held meanwhile";
    it.event(kService, StrategyEvent::Refused);
    EXPECT_EQ(it.taken(), "release foreground_service");
  }
  it.pass(milliseconds(4000));
  it.event(kService, StrategyEvent::Held);
  EXPECT_EQ(it.taken(), "acquire foreground_service, release silent_audio");
  EXPECT_EQ(it.status().strategy, kService);
}

TEST(Ladder, ThreeRungsFallOneByOneAndTheBridgeIsLast) {
  auto it = in_background({Strategy::ContinuedTask, kService, kAudio, kTask});
  it.event(Strategy::ContinuedTask, StrategyEvent::Unsupported);
  it.event(kService, StrategyEvent::Unsupported);
  EXPECT_EQ(it.taken(),
            "acquire continued_task, release continued_task, acquire foreground_service, release foreground_service, "
            "acquire silent_audio")
      << "what does not exist here is no trouble";
  it.audio(StrategyEvent::Refused);
  EXPECT_EQ(it.taken(), "release silent_audio, acquire task_assertion");
}

TEST(Ladder, ATaskAssertionIsTheBridgeWhereverItStands) {
  auto it = in_background({kTask, kAudio});
  EXPECT_EQ(it.taken(), "acquire silent_audio");
  it.audio(StrategyEvent::Interrupted);
  EXPECT_EQ(it.taken(), "acquire task_assertion");
}

TEST(Ladder, WhatIsUnsupportedIsTriedAgainTheNextTimeTheAppLeavesTheScreen) {
  auto it = in_background({kService, kAudio});
  it.event(kService, StrategyEvent::Unsupported);
  it.audio(StrategyEvent::Held);
  it.taken();
  it.pass(std::chrono::hours(2));
  it.state(AppState::Inactive);
  it.state(AppState::Background, kGrace);
  EXPECT_EQ(it.taken(), "") << "it was not on the screen";
  it.state(AppState::Foreground);
  it.state(AppState::Background, kGrace);
  EXPECT_EQ(it.taken(), "release silent_audio, acquire foreground_service");
}

TEST(Ladder, WithAllUnsupportedTheBridgeAloneIsHeld) {
  auto it = in_background({kAudio, kTask});
  it.audio(StrategyEvent::Unsupported);
  EXPECT_EQ(it.taken(), "acquire silent_audio, release silent_audio, acquire task_assertion");
  it.task(StrategyEvent::Held, seconds(30));
  it.pass(milliseconds(28499));
  EXPECT_EQ(it.taken(), "");
  it.pass(milliseconds(1));
  EXPECT_EQ(it.taken(), "pause 1125");
  EXPECT_EQ(it.cause(), GapCause::Expired);
}

TEST(Ladder, AnInterruptionTakesTheAudioSessionFromBothThatUseIt) {
  auto it = in_background({kAudio, Strategy::PulsedAudio, kTask});
  it.audio(StrategyEvent::Held);
  it.taken();
  it.audio(StrategyEvent::Interrupted);
  EXPECT_EQ(it.taken(), "acquire task_assertion") << "pulses would be as mute during the call";
  it.audio(StrategyEvent::InterruptionEnded);
  it.pass(Keeper::kRetryDelay);
  EXPECT_EQ(it.taken(), "release silent_audio, acquire silent_audio");
  it.pass(Keeper::kRetryDelay);
  EXPECT_EQ(it.taken(), "acquire pulsed_audio") << "after the call either may be the first to be held";
}

TEST(Ladder, ALostServerMakesPulsesStandIn) {
  auto it = in_background({kAudio, Strategy::PulsedAudio});
  it.audio(StrategyEvent::Held);
  it.taken();
  it.audio(StrategyEvent::Lost);
  EXPECT_EQ(it.taken(), "release silent_audio, acquire pulsed_audio");
}

TEST(Ladder, ABoundedStrategyHandsOverBeforeItsEnd) {
  auto it = in_background({kService, kAudio, kTask});
  it.event(kService, StrategyEvent::Held, seconds(60));
  it.taken();
  it.pass(milliseconds(58499));
  EXPECT_EQ(it.taken(), "");
  it.pass(milliseconds(1));
  EXPECT_EQ(it.taken(), "release foreground_service, acquire silent_audio, acquire task_assertion");
}

TEST(Ladder, WhereNoGraceWasNamedTheTimeLeftOfAnExpiryTellsWhenToPause) {
  KeeperDriver it({kService});
  it.intent(true);
  it.demand(true);
  it.state(AppState::Background);
  it.event(kService, StrategyEvent::Held);
  it.event(kService, StrategyEvent::Expired, seconds(4));
  it.taken();
  it.pass(milliseconds(2999));
  EXPECT_TRUE(it.sync_running());
  it.pass(milliseconds(1));
  EXPECT_FALSE(it.sync_running());
  EXPECT_EQ(it.cause(), GapCause::Expired);
}

TEST(Ladder, AnOutageThatALesserStrategyEndsIsOneInterruptionAndOneRecovery) {
  auto it = in_background({kService, kAudio});
  it.event(kService, StrategyEvent::Held);
  it.event(kService, StrategyEvent::Interrupted);
  it.audio(StrategyEvent::Held);
  it.event(kService, StrategyEvent::InterruptionEnded);
  it.pass(Keeper::kRetryDelay);
  it.event(kService, StrategyEvent::Held);
  EXPECT_EQ(it.status().interruptions, 1u);
  EXPECT_EQ(it.status().recoveries, 1u);
}

TEST(Ladder, SaysWhichStandsInForWhich) {
  auto it = in_background({kService, kAudio});
  it.event(kService, StrategyEvent::Refused);
  EXPECT_EQ(it.status().reason, "A foreground service could not be started and is tried again; nothing holds the app.");
  it.audio(StrategyEvent::Held);
  EXPECT_EQ(it.status().reason,
            "A foreground service is not to be had at present; silent audio keeps the app running in the background.");
}

TEST(Ladder, TriedAnewWhileSyncIsPausedItIsClimbedOnceToItsEnd) {
  auto it = in_background({kService, kAudio});
  it.event(kService, StrategyEvent::Refused);
  it.audio(StrategyEvent::Refused);
  it.pass(milliseconds(3750));
  it.paused();
  it.event(kService, StrategyEvent::Refused);
  it.audio(StrategyEvent::Refused);
  it.pass(std::chrono::hours(1));
  ASSERT_FALSE(it.sync_running());
  it.taken();
  it.intent(false);
  it.intent(true);
  EXPECT_EQ(it.taken(), "acquire foreground_service");
  it.event(kService, StrategyEvent::Refused);
  EXPECT_EQ(it.taken(), "release foreground_service, acquire silent_audio");
  it.audio(StrategyEvent::Refused);
  it.pass(std::chrono::hours(1));
  EXPECT_EQ(it.taken(), "release silent_audio") << "and not again by itself";
  it.intent(false);
  it.intent(true);
  it.event(kService, StrategyEvent::Refused);
  it.taken();
  it.audio(StrategyEvent::Held);
  EXPECT_EQ(it.taken(), "resume");
}

}  // namespace
}  // namespace fermata::lifecycle
