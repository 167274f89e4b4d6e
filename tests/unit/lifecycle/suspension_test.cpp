#include <gtest/gtest.h>

#include "unit/lifecycle/keeper_driver.hpp"

namespace fermata::lifecycle {
namespace {

using enum Strategy;

TEST(Suspension, IsSeenWhenAWatchIsMissedAndEverythingIsAcquiredAnew) {
  auto it = held_in_background();
  it.freeze(seconds(600));
  it.deadline();
  EXPECT_EQ(it.taken(), "suspended 540000, release silent_audio, acquire silent_audio, acquire task_assertion")
      << "counted from the moment at which it should have run";
  it.audio(StrategyEvent::Held);
  EXPECT_EQ(it.taken(), "release task_assertion");
  it.pass(std::chrono::hours(1));
  EXPECT_EQ(it.taken(), "") << "said once";
}

TEST(Suspension, IsSeenByWhateverIsToldFirst) {
  auto it = held_in_background();
  it.freeze(seconds(600));
  it.demand(Demand{.peers = true});
  EXPECT_TRUE(it.taken().starts_with("suspended 540000"));
}

TEST(Suspension, IsNotSeenInWhatIsOnlyALittleLate) {
  auto it = held_in_background();
  it.freeze(Keeper::kWatch + Keeper::kLate);
  it.deadline();
  EXPECT_EQ(it.taken(), "");
  it.freeze(Keeper::kWatch + Keeper::kLate + Duration(1));
  it.deadline();
  EXPECT_TRUE(it.taken().starts_with("suspended 1500"));
}

TEST(Suspension, OnReturnToTheScreenIsSaidAndNothingIsAcquiredForIt) {
  auto it = held_in_background();
  it.freeze(std::chrono::hours(8));
  it.state(AppState::Foreground);
  EXPECT_EQ(it.taken(), "suspended 28740000, release silent_audio");
}

TEST(Suspension, ThatWasToldIsNone) {
  auto it = held_in_background();
  it.state(AppState::Suspended, seconds(5));
  it.paused();
  it.taken();
  it.freeze(std::chrono::hours(8));
  it.state(AppState::Background, kGrace);
  EXPECT_EQ(it.taken(), "acquire silent_audio") << "the machine slept, and said so";
}

TEST(Suspension, AfterThePauseIsWhatThePauseWasFor) {
  auto it = held_in_background();
  it.audio(StrategyEvent::Interrupted);
  it.task(StrategyEvent::Refused);
  it.pass(seconds(4));
  it.paused();
  it.taken();
  it.freeze(std::chrono::hours(8));
  it.deadline();
  EXPECT_EQ(it.taken(), "");
}

TEST(Suspension, AcrossAWholeCallEndsTheInterruptionThatNobodyEnded) {
  auto it = held_in_background();
  it.audio(StrategyEvent::Interrupted);
  it.task(StrategyEvent::Held, seconds(30));
  it.taken();
  it.freeze(std::chrono::minutes(20));
  it.deadline();
  EXPECT_EQ(it.taken(),
            "suspended 1171500, release silent_audio, acquire silent_audio, release task_assertion, "
            "acquire task_assertion");
  it.audio(StrategyEvent::Held);
  EXPECT_TRUE(it.sync_running());
  EXPECT_EQ(it.status().recoveries, 1u);
}

TEST(Suspension, LeavesTheGraceToRecoverIn) {
  auto it = held_in_background();
  it.freeze(seconds(600));
  it.deadline();
  it.task(StrategyEvent::Refused);
  it.audio(StrategyEvent::Refused);
  it.taken();
  it.pass(milliseconds(3749));
  EXPECT_TRUE(it.sync_running());
  it.pass(milliseconds(1));
  EXPECT_FALSE(it.sync_running());
}

KeeperDriver held_on_a_ladder_of_three() {
  KeeperDriver it({SilentAudio, MediaPlayer, TaskAssertion});
  it.intent(true);
  it.demand(true);
  it.state(AppState::Background, kGrace);
  it.audio(StrategyEvent::Held);
  return it;
}

void suspend_while_held(KeeperDriver& it) {
  it.freeze(seconds(120));
  it.deadline();
  if (it.acquired(SilentAudio)) {
    it.audio(StrategyEvent::Held);
  }
  it.taken();
}

TEST(Suspension, TwiceWithAStrategyHeldMakesTheNextOneTakeOverForGood) {
  auto it = held_on_a_ladder_of_three();
  suspend_while_held(it);
  EXPECT_TRUE(it.acquired(SilentAudio)) << "once may be chance";
  suspend_while_held(it);
  EXPECT_FALSE(it.acquired(SilentAudio));
  EXPECT_TRUE(it.acquired(MediaPlayer));
  it.event(MediaPlayer, StrategyEvent::Held);
  it.state(AppState::Foreground);
  it.taken();
  it.state(AppState::Background, kGrace);
  EXPECT_EQ(it.taken(), "acquire media_player") << "until the process ends";
}

TEST(Suspension, OneAnHourIsNoProofThatAStrategyIsOfNoUse) {
  auto it = held_on_a_ladder_of_three();
  for (int i = 0; i < 3; ++i) {
    suspend_while_held(it);
    it.pass(Keeper::kStrikeMemory + seconds(1));
  }
  EXPECT_TRUE(it.acquired(SilentAudio));
}

TEST(Suspension, WithNothingHeldIsNobodysFault) {
  KeeperDriver it({SilentAudio});
  it.intent(true);
  it.demand(true);
  it.state(AppState::Background, kGrace);
  for (int i = 0; i < 3; ++i) {
    it.audio(StrategyEvent::Refused);
    it.taken();
    it.freeze(seconds(3));
    it.deadline();
    EXPECT_EQ(it.taken(), "suspended 2500, acquire silent_audio");
    it.audio(StrategyEvent::Held);
    EXPECT_TRUE(it.acquired(SilentAudio)) << it.trace();
  }
}

TEST(Suspension, IsNotSeenInAnAcquireThatKeptItsOwnerBusy) {
  KeeperDriver it;
  it.intent(true);
  it.demand(true);
  it.state(AppState::Background, seconds(10));
  it.freeze(seconds(4));
  it.audio(StrategyEvent::Held);
  EXPECT_EQ(it.taken(), "acquire silent_audio");
}

TEST(Suspension, WithNothingWantedIsSaidAndThenPaused) {
  KeeperDriver it;
  it.demand(true);
  it.state(AppState::Background, kGrace);
  it.freeze(seconds(60));
  it.deadline();
  EXPECT_EQ(it.taken(), "suspended 56250, pause 1125");
  EXPECT_EQ(it.cause(), GapCause::Off);
}

}  // namespace
}  // namespace fermata::lifecycle
