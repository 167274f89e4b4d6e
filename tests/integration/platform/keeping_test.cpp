// What BackgroundSync keeps of the times it could not sync, and what else can make it hold or let go.
#include "integration/platform/played.hpp"

namespace fermata {
namespace {

class KeepingTest : public BackgroundSyncTest {
 protected:
  // Everything posted so far has been done and published: the first report may come from a turn that began before.
  static void settle(BackgroundSync& sync) {
    for (int turn = 0; turn < 2; ++turn) {
      Mailbox<bool> seen;
      sync.observe([&](const BackgroundSyncStatus&) { seen.put(true); });
      ASSERT_TRUE(seen.take());
      sync.observe({});
    }
  }
  void settle() { settle(*sync_); }
  void go_away_and_return() {
    background(milliseconds(400));
    EXPECT_EQ(called(participant_), "pause");
    EXPECT_EQ(asked(), "ready");
    foreground();
    EXPECT_EQ(called(participant_), "resume");
    settle();
  }
};

TEST_F(KeepingTest, AGapHasACauseALengthAndWhatWasLeftUnsent) {
  bring(participant_);
  go_away_and_return();
  const auto gaps = sync_->gaps();
  ASSERT_EQ(gaps.size(), 1u);
  EXPECT_EQ(gaps[0].cause, GapCause::Off);
  EXPECT_TRUE(gaps[0].length.has_value());
  EXPECT_EQ(gaps[0].changes_unsent, participant_.unsent);
  EXPECT_FALSE(gaps[0].catch_up.has_value());
}

TEST_F(KeepingTest, TheCatchUpAfterAGapIsCountedAsWhatWasMissed) {
  bring(participant_);
  go_away_and_return();
  caught_up(*sync_, 5, milliseconds(30));
  settle();
  const auto gaps = sync_->gaps();
  ASSERT_EQ(gaps.size(), 1u);
  EXPECT_EQ(gaps[0].changes_missed, 5u);
  EXPECT_EQ(gaps[0].catch_up, milliseconds(30));
}

TEST_F(KeepingTest, ACatchUpWithoutAGapIsNobodysLoss) {
  bring(participant_);
  caught_up(*sync_, 5, milliseconds(30));
  settle();
  EXPECT_TRUE(sync_->gaps().empty());
}

TEST_F(KeepingTest, AGapInWhichTheProcessEndedIsFoundByTheNext) {
  bring(participant_);
  background(milliseconds(400));
  EXPECT_EQ(called(participant_), "pause");
  EXPECT_EQ(asked(), "ready");
  leave(*sync_, participant_);
  joined_.clear();
  sync_.reset();  // as if killed: nobody ended the gap
  EXPECT_EQ(asked(), "destroyed");

  PlayedPlatform::Stage stage;
  BackgroundSync next(std::make_unique<PlayedPlatform>(stage));
  join(next, participant_);
  stage.started.get_future().wait();
  settle(next);
  ASSERT_EQ(next.gaps().size(), 1u);
  EXPECT_EQ(next.gaps()[0].cause, GapCause::Ended);
  leave(next, participant_);
}

TEST_F(KeepingTest, PeersAreToldWhenToExpectUsOnceWeKnow) {
  bring(participant_);
  go_away_and_return();
  EXPECT_FALSE(participant_.orders.take().value().expected_return.has_value());
  go_away_and_return();
  EXPECT_TRUE(participant_.orders.take().value().expected_return.has_value());
}

TEST_F(KeepingTest, AHoldIsADemandUntilItIsLetGo) {
  participant_.demand = false;
  bring(participant_);
  sync_->start({.mode = BackgroundMode::WhileUnsynced});
  Hold hold = sync_->hold("sending the day's photos");
  background(milliseconds(60000));
  EXPECT_EQ(asked(), "acquire silent_audio");
  audio(StrategyEvent::Held);
  settle();
  EXPECT_TRUE(sync_->status().holding);
  hold = Hold();
  EXPECT_EQ(asked(), "release silent_audio");
}

TEST_F(KeepingTest, AHoldMayOutliveItsKeeper) {
  bring(participant_);
  const Hold hold = sync_->hold("for ever");
  leave(*sync_, participant_);
  joined_.clear();
  sync_.reset();
}

TEST_F(KeepingTest, LowPowerIsAReasonToLetGoUnlessTheAppSaysOtherwise) {
  bring(participant_);
  sync_->start();
  background(milliseconds(60000));
  EXPECT_EQ(asked(), "acquire silent_audio");
  audio(StrategyEvent::Held);
  stage_.events.on_conditions({.low_power = true});
  EXPECT_EQ(asked(), "release silent_audio");
  settle();
  EXPECT_TRUE(sync_->status().conditions.low_power);
  sync_->start({.hold_in_low_power = true});
  EXPECT_EQ(asked(), "acquire silent_audio");
}

TEST_F(KeepingTest, WhatAStrategyCostsIsMeasuredWhileItIsHeld) {
  bring(participant_);
  sync_->start();
  EXPECT_TRUE(sync_->costs().empty());
  background(milliseconds(60000));
  EXPECT_EQ(asked(), "acquire silent_audio");
  audio(StrategyEvent::Held);
  settle();
  const auto costs = sync_->costs();
  ASSERT_EQ(costs.size(), 1u);
  EXPECT_EQ(costs[0].strategy, Strategy::SilentAudio);
  EXPECT_GT(costs[0].wakeups_per_s, 0);
  EXPECT_FALSE(costs[0].server_wakeups_per_s.has_value());
}

}  // namespace
}  // namespace fermata
