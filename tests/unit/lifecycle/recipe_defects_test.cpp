// The published recipe for prolonged background sync plays an empty WAV in a loop and has these defects. One test for
// each that would live in the keeper; the comment says what to put back to see it fail.
#include <gtest/gtest.h>

#include "unit/lifecycle/keeper_driver.hpp"

namespace fermata::lifecycle {
namespace {

// Put back: in ladder.cpp, primary_interrupted(): `acquire(slot, now);` at its end.
TEST(RecipeDefects, ResumesWhenTheInterruptionBegins) {
  auto it = held_in_background();
  it.audio(StrategyEvent::Interrupted);
  it.task(StrategyEvent::Held, seconds(30));
  it.pass(seconds(20));
  EXPECT_EQ(it.taken(), "acquire task_assertion") << "at the beginning of a call the session is gone; nothing may play";
}

// Put back: in ladder.cpp, primary_event(), case InterruptionEnded: `slot.phase = Phase::Held;`, which is what to
// believe that player.play() were enough comes to.
TEST(RecipeDefects, DoesNotReactivateTheSessionWhenTheInterruptionEnded) {
  auto it = held_in_background();
  it.audio(StrategyEvent::Interrupted);
  it.task(StrategyEvent::Held, seconds(30));
  it.taken();
  it.audio(StrategyEvent::InterruptionEnded);
  it.pass(Keeper::kRetryDelay);
  EXPECT_EQ(it.taken(), "release silent_audio, acquire silent_audio");
}

// Put back: in ladder.cpp, wait_longer(): `slot.due += std::chrono::hours(24);` at its end.
TEST(RecipeDefects, HasNoRetry) {
  auto it = held_in_background();
  it.audio(StrategyEvent::Interrupted);
  it.task(StrategyEvent::Held, seconds(30));
  it.audio(StrategyEvent::InterruptionEnded);
  it.pass(Keeper::kRetryDelay);
  it.audio(StrategyEvent::Refused);  // the alarm clock has not let go of the session yet
  it.taken();
  it.pass(Keeper::kRetryDelay);
  EXPECT_EQ(it.taken(), "acquire silent_audio");
}

// Put back: in ladder.cpp, bridge_wanted(): `return false;`.
TEST(RecipeDefects, RecoversWithoutATaskAssertion) {
  auto it = held_in_background();
  it.audio(StrategyEvent::Interrupted);
  EXPECT_TRUE(it.acquired(Strategy::TaskAssertion)) << "without it the process is suspended before the call ends";
  it.task(StrategyEvent::Held, seconds(30));
  it.pass(seconds(20));
  EXPECT_TRUE(it.sync_running());
  it.audio(StrategyEvent::InterruptionEnded);
  it.pass(Keeper::kRetryDelay);
  EXPECT_TRUE(it.acquired(Strategy::TaskAssertion)) << "also during the attempt";
}

// Put back: in ladder.cpp, primary_interrupted(): `slot.due = Instant::max();`.
TEST(RecipeDefects, WaitsForAnEndThatNeverComes) {
  auto it = held_in_background();
  it.audio(StrategyEvent::Interrupted);
  it.task(StrategyEvent::Held);
  it.taken();
  it.pass(Keeper::kMaxRetryDelay);
  EXPECT_EQ(it.taken(), "release silent_audio, acquire silent_audio");
}

// Put back: in pause.cpp, verify(): return after its first line.
TEST(RecipeDefects, StaysSilentForEverWhenFrozenAcrossAWholeCall) {
  auto it = held_in_background();
  it.audio(StrategyEvent::Interrupted);
  it.task(StrategyEvent::Held, seconds(30));
  it.taken();
  it.freeze(seconds(600));
  it.task(StrategyEvent::Expired, seconds(5));
  EXPECT_TRUE(it.taken().starts_with("suspended 571500, release silent_audio, acquire silent_audio")) << it.trace();
  it.audio(StrategyEvent::Held);
  EXPECT_TRUE(it.sync_running());
}

// Put back: in keeper.cpp, set_intent(): `if (!on_) return;` at its beginning: the recipe's start() is guarded by an
// isOn that nothing ever makes true.
TEST(RecipeDefects, IsOnNeverBecomesTrueAndGuardsTheWrongThing) {
  KeeperDriver it;
  it.demand(true);
  it.intent(true);
  EXPECT_TRUE(it.status().is_on);
  it.state(AppState::Background, kGrace);
  EXPECT_EQ(it.taken(), "acquire silent_audio");
  it.audio(StrategyEvent::Refused);
  EXPECT_TRUE(it.status().is_on) << "the intent, whatever is true at present";
  EXPECT_FALSE(it.status().holding) << "and that is said too";
}

// Put back: in ladder.cpp, steer_primaries(): leave out `release(slot);`.
TEST(RecipeDefects, StopLeavesTheSessionActive) {
  auto it = held_in_background();
  it.intent(false);
  EXPECT_FALSE(it.acquired(Strategy::SilentAudio));
}

// Put back: in keeper.cpp, demanded(): `return true;`.
TEST(RecipeDefects, PlaysWithNothingToSync) {
  KeeperDriver it;
  it.intent(true);
  it.state(AppState::Background, kGrace);
  it.pass(seconds(1));
  EXPECT_EQ(it.taken(), "");
  it.demand(true);
  it.audio(StrategyEvent::Held);
  it.pass(seconds(60));
  it.demand(false);
  it.paused();
  EXPECT_FALSE(it.acquired(Strategy::SilentAudio));
}

// Put back: in pause.cpp, suspension_seen(): leave out the SuspensionSeen, as whoever has no notion of it does.
TEST(RecipeDefects, TakesAProcessThatIsAliveForSyncThatIsAlive) {
  auto it = held_in_background();
  it.freeze(seconds(600));
  it.deadline();
  EXPECT_TRUE(it.taken().starts_with("suspended 540000")) << "or nobody would look after the sockets";
}

// Put back: in ladder.cpp, primary_event(): `case StrategyEvent::Lost: return;`.
TEST(RecipeDefects, DoesNotSeeThatTheSoundServerOrTheRouteIsGone) {
  auto it = held_in_background();
  it.audio(StrategyEvent::Lost);
  EXPECT_FALSE(it.status().holding);
  it.pass(Keeper::kRetryDelay);
  EXPECT_TRUE(it.acquired(Strategy::SilentAudio));
  EXPECT_NE(it.taken().find("release silent_audio"), std::string::npos) << "it is built anew, not merely resumed";
}

}  // namespace
}  // namespace fermata::lifecycle
