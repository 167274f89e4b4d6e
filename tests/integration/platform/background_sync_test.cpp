// BackgroundSync on a platform that the test plays.
#include <filesystem>
#include <thread>

#include "integration/platform/played.hpp"

namespace fermata {
namespace {

using std::chrono::milliseconds;

TEST_F(BackgroundSyncTest, CostsNoThreadBeforeSomebodyNeedsIt) {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  const auto before = std::distance(begin(tasks), end(tasks));
  sync_->stop();
  EXPECT_FALSE(sync_->is_on());
  EXPECT_TRUE(sync_->status().syncing);
  const std::filesystem::directory_iterator now("/proc/self/task");
  EXPECT_EQ(std::distance(begin(now), end(now)), before);
}

TEST_F(BackgroundSyncTest, HoldsSilentAudioInTheBackgroundAndReleasesItInTheForeground) {
  bring(participant_);
  sync_->start();
  EXPECT_TRUE(sync_->is_on());
  background(milliseconds(60000));
  EXPECT_EQ(asked(), "acquire silent_audio");
  audio(StrategyEvent::Held);
  foreground();
  EXPECT_EQ(asked(), "release silent_audio");
}

TEST_F(BackgroundSyncTest, PausesEveryParticipantBeforeTheGraceEndsAndResumesThemOnReturn) {
  PlayedParticipant second;
  bring(participant_);
  bring(second);
  background(milliseconds(400));
  EXPECT_EQ(called(participant_), "pause");
  EXPECT_EQ(called(second), "pause");
  EXPECT_EQ(asked(), "ready");
  EXPECT_FALSE(sync_->status().syncing);
  foreground();
  EXPECT_EQ(called(participant_), "resume");
  EXPECT_EQ(called(second), "resume");
  leave(*sync_, second);
  std::erase(joined_, &second);
}

// The strategies go in time, because keeping them is death too; "ready" would be a lie while a file may be open.
TEST_F(BackgroundSyncTest, AParticipantThatAnswersTooLateDelaysReadyButNotTheRelease) {
  participant_.obedient = false;
  bring(participant_);
  sync_->start();
  background(milliseconds(400));
  EXPECT_EQ(asked(), "acquire silent_audio");
  audio(StrategyEvent::Refused);
  EXPECT_EQ(asked(), "release silent_audio");
  EXPECT_EQ(asked(), "acquire task_assertion");
  stage_.events.on_strategy(Strategy::TaskAssertion, StrategyEvent::Expired, milliseconds(100));
  EXPECT_EQ(called(participant_), "pause");
  EXPECT_EQ(asked(), "release task_assertion");
  EXPECT_TRUE(stage_.asked.empty());
  participant_.late_done.take().value()(0);
  EXPECT_EQ(asked(), "ready");
}

TEST_F(BackgroundSyncTest, WaitsForTheSlowestParticipant) {
  participant_.obedient = false;
  bring(participant_);
  stage_.events.on_app_state(AppState::Terminating, std::chrono::hours(1));
  EXPECT_EQ(called(participant_), "pause");
  EXPECT_TRUE(stage_.asked.empty());
  participant_.late_done.take().value()(0);
  EXPECT_EQ(asked(), "ready");
}

TEST_F(BackgroundSyncTest, ALateAnswerToAnOlderPauseDoesNotEndANewerOne) {
  participant_.obedient = false;
  bring(participant_);
  background(milliseconds(0));
  EXPECT_EQ(called(participant_), "pause");
  foreground();
  EXPECT_EQ(called(participant_), "resume");
  stage_.events.on_app_state(AppState::Terminating, std::chrono::hours(1));
  EXPECT_EQ(called(participant_), "pause");
  const auto first = participant_.late_done.take().value();
  const auto second = participant_.late_done.take().value();
  first(0);
  // A round trip through the keeper's thread: whatever the late answer did, it has done now.
  Mailbox<bool> seen;
  sync_->observe([&](const BackgroundSyncStatus&) { seen.put(true); });
  ASSERT_TRUE(seen.take());
  EXPECT_TRUE(stage_.asked.empty());
  second(0);
  EXPECT_EQ(asked(), "ready");
  sync_->observe({});
}

TEST_F(BackgroundSyncTest, ReturningDuringThePauseResumesAfterIt) {
  participant_.obedient = false;
  bring(participant_);
  stage_.events.on_app_state(AppState::Terminating, std::chrono::hours(1));
  EXPECT_EQ(called(participant_), "pause");
  foreground();
  participant_.late_done.take().value()(0);
  EXPECT_EQ(called(participant_), "resume");
  EXPECT_TRUE(stage_.asked.empty()) << "it was not ready to be suspended";
}

TEST_F(BackgroundSyncTest, OneWhoJoinsWhilePausedIsPausedToo) {
  bring(participant_);
  background(milliseconds(0));
  EXPECT_EQ(asked(), "ready");
  PlayedParticipant late;
  bring(late);
  EXPECT_EQ(called(late), "pause");
  foreground();
  EXPECT_EQ(called(late), "resume");
  leave(*sync_, late);
  std::erase(joined_, &late);
}

TEST_F(BackgroundSyncTest, ALeavingParticipantIsNotWaitedFor) {
  participant_.obedient = false;
  bring(participant_);
  stage_.events.on_app_state(AppState::Terminating, std::chrono::hours(1));
  EXPECT_EQ(called(participant_), "pause");
  leave(*sync_, participant_);
  joined_.clear();
  EXPECT_EQ(asked(), "ready");
}

TEST_F(BackgroundSyncTest, DemandDecides) {
  participant_.demand = false;
  bring(participant_);
  sync_->start();
  background(milliseconds(60000));
  participant_.demand = true;
  state_changed(*sync_);
  EXPECT_EQ(asked(), "acquire silent_audio");
  audio(StrategyEvent::Held);
  participant_.demand = false;
  state_changed(*sync_);
  EXPECT_EQ(asked(), "release silent_audio");
}

TEST_F(BackgroundSyncTest, AnEventOfAnAcquisitionThatIsOverIsDropped) {
  bring(participant_);
  sync_->start();
  background(milliseconds(60000));
  EXPECT_EQ(asked(), "acquire silent_audio");
  // Both are queued before the keeper can release: the held one belongs to what it is about to release.
  std::promise<void> hold_thread, in_observer;
  std::atomic<bool> once = false;
  sync_->observe([&](const BackgroundSyncStatus&) {
    if (!once.exchange(true)) {
      in_observer.set_value();
      hold_thread.get_future().wait();
    }
  });
  in_observer.get_future().wait();
  foreground();
  background(milliseconds(60000));
  audio(StrategyEvent::Held);
  hold_thread.set_value();
  EXPECT_EQ(asked(), "release silent_audio");
  EXPECT_EQ(asked(), "acquire silent_audio");
  audio(StrategyEvent::Interrupted);
  EXPECT_EQ(asked(), "acquire task_assertion");
  EXPECT_EQ(sync_->status().recoveries, 0u);
  sync_->observe({});
}

TEST_F(BackgroundSyncTest, ObserversAreToldOnceSoonAndAfterEachChange) {
  bring(participant_);
  Mailbox<BackgroundSyncStatus> seen;
  sync_->observe([&](const BackgroundSyncStatus& status) { seen.put(status); });
  const auto first = seen.take();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->app_state, AppState::Foreground);
  sync_->start();
  EXPECT_TRUE(seen.await([](const auto& status) { return status.is_on; }));
  background(milliseconds(60000));
  audio(StrategyEvent::Held);
  EXPECT_TRUE(seen.await([](const auto& status) { return status.app_state == AppState::Background; }));
  sync_->observe({});
  foreground();
  sync_->stop();
  sync_.reset();
  joined_.clear();
  EXPECT_TRUE(stage_.asked.await([](const auto& asked) { return asked == "destroyed"; }));
}

TEST_F(BackgroundSyncTest, AnObserverMayRemoveItselfFromInside) {
  bring(participant_);
  Mailbox<bool> seen;
  sync_->observe([&](const BackgroundSyncStatus&) {
    sync_->observe({});
    seen.put(true);
  });
  EXPECT_TRUE(seen.take());
  sync_->start();
  background(milliseconds(60000));
  EXPECT_EQ(asked(), "acquire silent_audio");
  EXPECT_TRUE(seen.empty());
}

TEST_F(BackgroundSyncTest, SleepsWhileNothingHappens) {
  bring(participant_);
  sync_->start();
  background(milliseconds(100));
  audio(StrategyEvent::Held);
  EXPECT_EQ(asked(), "acquire silent_audio");
  audio(StrategyEvent::Held);
  Mailbox<bool> turns;
  sync_->observe([&](const BackgroundSyncStatus&) { turns.put(true); });
  ASSERT_TRUE(turns.take());
  EXPECT_FALSE(turns.take(milliseconds(300)));
  EXPECT_TRUE(participant_.calls.empty()) << "held beyond the grace: not paused";
  sync_->observe({});
}

TEST_F(BackgroundSyncTest, ManyThreadsMayCallAtOnce) {
  bring(participant_);
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&, i] {
      PlayedParticipant own;
      for (int round = 0; round < 50; ++round) {
        join(*sync_, own);
        (i % 2 != 0) ? sync_->start() : sync_->stop();
        (round % 2 != 0) ? background(milliseconds(10)) : foreground();
        audio(static_cast<StrategyEvent>(round % 6));
        static_cast<void>(sync_->status());
        leave(*sync_, own);
      }
    });
  }
  for (auto& caller : callers) {
    caller.join();
  }
  foreground();
  Mailbox<bool> running;
  sync_->observe([&](const BackgroundSyncStatus& status) {
    if (status.app_state == AppState::Foreground && status.syncing) {
      running.put(true);
    }
  });
  EXPECT_TRUE(running.take());
  sync_->observe({});
}

}  // namespace
}  // namespace fermata
