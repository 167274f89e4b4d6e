// The rows of the event table that are about the app, its tasks and the device.
#include "fixture.h"

namespace fermata::apple {
namespace {

TEST_F(AppleTest, TheWayToTheBackgroundAndBackIsTold) {
  start();
  EXPECT_EQ(heard_.all(), Lines{"foreground"});
  phone_.leave_screen();
  phone_.return_to_screen();
  EXPECT_EQ(heard_.all(), (Lines{"foreground", "inactive", "background", "inactive", "foreground"}));
}

TEST_F(AppleTest, TheGraceIsFiveSecondsAndATaskOfOursMakesThemTrue) {
  start();
  phone_.leave_screen();
  EXPECT_EQ(heard_.time_left(), 5s);
  EXPECT_EQ(phone_.count("begin task fermata: pausing"), 1U);
  platform_->ready_to_suspend();
  EXPECT_EQ(phone_.open_tasks(), 0U) << "the system may suspend us now";
}

TEST_F(AppleTest, ReturningEndsTheTaskOfTheGrace) {
  start();
  phone_.leave_screen();
  phone_.return_to_screen();
  EXPECT_EQ(phone_.open_tasks(), 0U);
}

TEST_F(AppleTest, WhileSomethingIsHeldNoGraceIsUsedUp) {
  start();
  platform_->acquire(Strategy::SilentAudio);
  phone_.leave_screen();
  EXPECT_EQ(phone_.count("begin task fermata: pausing"), 0U);
}

TEST_F(AppleTest, HoldingSomethingInTheBackgroundEndsTheTaskOfTheGrace) {
  start();
  phone_.leave_screen();
  EXPECT_EQ(phone_.open_tasks(), 1U);
  platform_->acquire(Strategy::SilentAudio);
  EXPECT_EQ(phone_.open_tasks(), 0U);
}

TEST_F(AppleTest, TheTaskOfTheGraceEndsWithItsTime) {
  start();
  phone_.leave_screen();
  phone_.expire_background_tasks();
  EXPECT_EQ(phone_.open_tasks(), 0U);
}

TEST_F(AppleTest, AnAppLaunchedIntoTheBackgroundSaysSo) {
  phone_.world.state = 2;
  start();
  EXPECT_EQ(heard_.all(), Lines{"background"});
}

TEST_F(AppleTest, ScenesTellTheSameAndNothingIsToldTwice) {
  start();
  Phone::post("UISceneWillDeactivateNotification");
  Phone::post("UIApplicationWillResignActiveNotification");
  Phone::post("UISceneDidEnterBackgroundNotification");
  Phone::post("UIApplicationDidEnterBackgroundNotification");
  Phone::post("UISceneWillEnterForegroundNotification");
  Phone::post("UISceneDidActivateNotification");
  Phone::post("UIApplicationDidBecomeActiveNotification");
  EXPECT_EQ(heard_.all(), (Lines{"foreground", "inactive", "background", "inactive", "foreground"}));
}

TEST_F(AppleTest, TerminationWaitsUntilSyncIsPausedAndNotLonger) {
  start();
  std::thread keeper([this] {
    while (!heard_.has("terminating")) {
      std::this_thread::yield();
    }
    platform_->ready_to_suspend();
  });
  const auto before = std::chrono::steady_clock::now();
  phone_.terminate();
  keeper.join();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 3s);
}

TEST_F(AppleTest, ATaskAssertionIsHeldForTheTimeThatTheSystemGrants) {
  start();
  phone_.leave_screen();
  phone_.world.time_remaining = 27;
  hold(Strategy::TaskAssertion);
  EXPECT_EQ(heard_.time_left(), 27s);
  platform_->release(Strategy::TaskAssertion);
  EXPECT_EQ(phone_.open_tasks(), 0U);
}

TEST_F(AppleTest, ATaskAssertionTakenOnTheScreenLearnsItsTimeInTheBackground) {
  start();
  platform_->acquire(Strategy::TaskAssertion);
  Phone::settle();
  EXPECT_TRUE(heard_.has("task_assertion held"));
  EXPECT_EQ(heard_.time_left(), std::nullopt);
  heard_.clear();
  phone_.leave_screen();
  EXPECT_TRUE(heard_.has("task_assertion held"));
  EXPECT_EQ(heard_.time_left(), 30s);
}

TEST_F(AppleTest, ATaskThatIsNotGrantedIsRefused) {
  start();
  phone_.world.grants_tasks = false;
  platform_->acquire(Strategy::TaskAssertion);
  EXPECT_TRUE(heard_.has("task_assertion refused"));
  EXPECT_NE(explained().find("no more time"), std::string::npos);
}

TEST_F(AppleTest, AnExpiringTaskIsToldAndEndedByWhoeverHasIt) {
  start();
  phone_.leave_screen();
  hold(Strategy::TaskAssertion);
  phone_.world.time_remaining = 5;
  std::thread keeper([this] {
    while (!heard_.has("task_assertion expired")) {
      std::this_thread::yield();
    }
    platform_->release(Strategy::TaskAssertion);
  });
  const auto before = std::chrono::steady_clock::now();
  phone_.expire_background_tasks();
  keeper.join();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 3s) << "it must not wait any longer than it has to";
  EXPECT_EQ(heard_.time_left(), 4s);
}

TEST_F(AppleTest, AnExpiringTaskThatNobodyEndsIsEndedInTimeAndOnlyOnce) {
  start();
  phone_.leave_screen();
  hold(Strategy::TaskAssertion);
  phone_.world.time_remaining = 1;
  phone_.expire_background_tasks();
  EXPECT_EQ(heard_.all(), Lines{"task_assertion expired"});
  EXPECT_EQ(phone_.open_tasks(), 0U);
  platform_->release(Strategy::TaskAssertion);
}

TEST_F(AppleTest, LowPowerBatteryNetworkAndLockedFilesAreConditions) {
  start();
  EXPECT_EQ(heard_.condition_changes(), 0) << "all is as usual";
  phone_.force_low_power(true);
  Phone::settle();
  EXPECT_TRUE(heard_.conditions().low_power);
  phone_.drain_battery_to(0.17F);
  Phone::settle();
  EXPECT_EQ(heard_.conditions().battery_percent, 17);
  phone_.pay_for_network(true);
  Phone::settle();
  EXPECT_TRUE(heard_.conditions().metered);
  phone_.lock_device();
  Phone::settle();
  EXPECT_FALSE(heard_.conditions().protected_data_available);
  phone_.unlock_device();
  Phone::settle();
  EXPECT_TRUE(heard_.conditions().protected_data_available);
  EXPECT_EQ(heard_.condition_changes(), 5);
}

TEST_F(AppleTest, ADeviceThatIsLockedAtTheStartSaysSo) {
  phone_.world.protected_data = false;
  start();
  EXPECT_FALSE(heard_.conditions().protected_data_available);
}

TEST_F(AppleTest, AContinuedTaskIsAskedForNowOrNeverAndHeldOnceTheSystemRunsIt) {
  start();
  platform_->acquire(Strategy::ContinuedTask);
  EXPECT_EQ(phone_.journal(), (Lines{"register app.fermata.continued", "submit, now or never, app.fermata.continued"}));
  EXPECT_FALSE(heard_.has("continued_task held"));
  phone_.open_window("app.fermata.continued");
  EXPECT_TRUE(heard_.has("continued_task held"));
  platform_->release(Strategy::ContinuedTask);
  EXPECT_EQ(phone_.world.open_windows, 0);
}

TEST_F(AppleTest, AContinuedTaskThatTheSystemWillNotRunIsRefusedInWords) {
  start();
  phone_.world.submit_error = 4;
  platform_->acquire(Strategy::ContinuedTask);
  EXPECT_TRUE(heard_.has("continued_task refused"));
  EXPECT_NE(explained().find("the system has no room for it now (BGTaskSchedulerErrorDomain 4)"), std::string::npos);
}

TEST_F(AppleTest, AContinuedTaskThatPeopleOrTheSystemEndIsExpiredAndCompleted) {
  start();
  platform_->acquire(Strategy::ContinuedTask);
  phone_.open_window("app.fermata.continued");
  phone_.expire_window();
  EXPECT_TRUE(heard_.has("continued_task expired"));
  EXPECT_EQ(phone_.world.open_windows, 0);
}

TEST_F(AppleTest, AContinuedTaskMakesProgressForEverAndItsGoalMovesOn) {
  start();
  platform_->acquire(Strategy::ContinuedTask);
  phone_.open_window("app.fermata.continued");
  ASSERT_TRUE(Phone::wait_until([this] { return phone_.progress().first >= 2; }, kSoon));
  phone_.skip_progress_to(300);
  ASSERT_TRUE(Phone::wait_until([this] { return phone_.progress().first > 300; }, kSoon));
  EXPECT_EQ(phone_.progress().second, 1200);
}

TEST_F(AppleTest, AWindowOfTheSystemLetsSyncRunAndPausesItBeforeItCloses) {
  BackgroundWindows::shared().register_handlers(everything(), [](const std::string&) {});
  phone_.world.state = 2;
  start();
  platform_->ready_to_suspend();
  heard_.clear();
  phone_.open_window("app.fermata.refresh");
  Phone::settle();
  EXPECT_EQ(heard_.all(), Lines{"inactive"});
  EXPECT_EQ(phone_.count("submit app.fermata.refresh"), 2U) << "on entering the background and for the one after this";
  platform_->ready_to_suspend();  // late, about the time before
  EXPECT_EQ(phone_.world.open_windows, 1);
  std::thread keeper([this] {
    while (!heard_.has("background")) {
      std::this_thread::yield();
    }
    platform_->ready_to_suspend();
  });
  phone_.expire_window();
  keeper.join();
  EXPECT_EQ(heard_.all(), (Lines{"inactive", "background"}));
  EXPECT_EQ(phone_.world.open_windows, 0);
}

TEST_F(AppleTest, AWindowThatOpensBeforeThePlatformStartsIsKeptForIt) {
  BackgroundWindows::shared().register_handlers(everything(), [](const std::string&) {});
  phone_.world.state = 2;
  phone_.open_window("app.fermata.processing");
  start();
  EXPECT_EQ(heard_.all().back(), "inactive");
  platform_.reset();
  EXPECT_EQ(phone_.world.open_windows, 0) << "nobody is left to use it";
}

TEST_F(AppleTest, NothingIsToldAfterThePlatformIsGone) {
  start();
  hold(Strategy::SilentAudio);
  platform_.reset();
  phone_.call_begins();
  phone_.leave_screen();
  phone_.force_low_power(true);
  Phone::settle();
  EXPECT_EQ(heard_.all(), Lines{});
  EXPECT_EQ(heard_.condition_changes(), 0);
}

TEST_F(AppleTest, WhatTheProcessCostsCanBeRead) {
  start();
  const auto cost = platform_->cost();
  ASSERT_TRUE(cost.has_value());
  EXPECT_GT(cost->process.cpu.count(), 0);
}

}  // namespace
}  // namespace fermata::apple
