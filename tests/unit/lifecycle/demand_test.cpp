#include <gtest/gtest.h>

#include <functional>

#include "unit/lifecycle/keeper_driver.hpp"

namespace fermata::lifecycle {
namespace {

using enum Strategy;

// On and away from the screen, with a grace of five seconds and what is demanded.
KeeperDriver away(const BackgroundSyncOptions& options, const Demand& demand,
                  std::vector<Strategy> ladder = {SilentAudio, TaskAssertion}) {
  KeeperDriver it(std::move(ladder));
  it.options(options);
  it.intent(true);
  it.demand(demand);
  it.state(AppState::Background, kGrace);
  return it;
}

bool holds(BackgroundMode mode, const Demand& demand) {
  return away({.mode = mode}, demand).acquired(SilentAudio);
}

TEST(Demand, EachModeCountsItsOwnReasons) {
  const Demand nothing, unsynced{.unsynced = true}, peers{.peers = true}, hold{.holds = 1};
  EXPECT_FALSE(holds(BackgroundMode::WhilePeersConnected, nothing));
  EXPECT_TRUE(holds(BackgroundMode::WhilePeersConnected, unsynced));
  EXPECT_TRUE(holds(BackgroundMode::WhilePeersConnected, peers));
  EXPECT_TRUE(holds(BackgroundMode::WhilePeersConnected, hold));
  EXPECT_FALSE(holds(BackgroundMode::WhileUnsynced, nothing));
  EXPECT_TRUE(holds(BackgroundMode::WhileUnsynced, unsynced));
  EXPECT_FALSE(holds(BackgroundMode::WhileUnsynced, peers));
  EXPECT_TRUE(holds(BackgroundMode::WhileUnsynced, hold));
  EXPECT_TRUE(holds(BackgroundMode::Always, nothing));
}

TEST(Demand, WithoutAnyItSaysThatThereIsNothingToSync) {
  auto it = away({}, {});
  EXPECT_EQ(it.status().reason, "There is nothing to sync; sync is paused before the system suspends the app.");
  it.pass(seconds(4));
  EXPECT_EQ(it.cause(), GapCause::NoDemand);
}

TEST(Demand, AHoldIsNamedWhenItIsTheOnlyReason) {
  auto it = away({}, {.holds = 1, .hold_reason = "uploading a film"});
  it.audio(StrategyEvent::Held);
  EXPECT_EQ(it.status().reason,
            "Silent audio keeps the app running in the background for its own sake: uploading a film.");
}

TEST(Demand, AHoldTakenWhileSyncIsPausedTriesTheLadderOnce) {
  auto it = away({}, {});
  it.pass(seconds(4));
  it.paused();
  it.taken();
  it.demand(Demand{.unsynced = true});
  EXPECT_EQ(it.taken(), "") << "what is paused cannot tell what it wants";
  it.demand(Demand{.holds = 1});
  EXPECT_EQ(it.taken(), "acquire silent_audio");
  it.audio(StrategyEvent::Refused);
  it.pass(std::chrono::hours(1));
  EXPECT_EQ(it.taken(), "release silent_audio");
  it.demand(Demand{.holds = 2});
  EXPECT_EQ(it.taken(), "acquire silent_audio") << "one more is a new reason";
  it.audio(StrategyEvent::Held);
  EXPECT_EQ(it.taken(), "resume");
}

TEST(Demand, AHoldThatEndsWhileSyncIsPausedCountsAtOnce) {
  auto it = away({}, {.holds = 1});
  it.audio(StrategyEvent::Refused);
  it.task(StrategyEvent::Refused);
  it.pass(seconds(4));
  it.paused();
  it.intent(false);
  it.intent(true);
  EXPECT_TRUE(it.acquired(SilentAudio));
  it.demand(Demand{});
  EXPECT_FALSE(it.acquired(SilentAudio));
}

TEST(Conditions, EachIsAReasonToLetGo) {
  BackgroundSyncOptions strict;
  strict.hold_above_battery_percent = 20;
  strict.hold_on_metered = false;
  Conditions low_power, battery, metered, locked;
  low_power.low_power = true;
  battery.battery_percent = 19;
  metered.metered = true;
  locked.protected_data_available = false;
  for (const auto& [bad, sentence] :
       {std::pair(low_power, "The device is saving power"),
        std::pair(battery, "The battery is at 19 %, below the 20 % that background sync needs"),
        std::pair(metered, "The network is paid for by volume"),
        std::pair(locked, "The device is locked and its files are encrypted")}) {
    auto it = away(strict, {.unsynced = true});
    it.audio(StrategyEvent::Held);
    it.pass(seconds(60));
    it.taken();
    it.conditions(bad);
    EXPECT_EQ(it.taken(), "pause 1125") << "sync first";
    EXPECT_EQ(it.cause(), GapCause::Conditions);
    it.paused();
    EXPECT_EQ(it.taken(), "release silent_audio, ready") << "and then what kept it running";
    EXPECT_EQ(it.status().reason,
              std::string(sentence) + "; sync is paused until that is over and a strategy is held again.");
    EXPECT_EQ(it.status().conditions, bad);
    it.conditions({});
    EXPECT_EQ(it.taken(), "acquire silent_audio") << "a condition that ended is a reason to try anew";
    it.audio(StrategyEvent::Held);
    EXPECT_EQ(it.taken(), "resume");
  }
}

TEST(Conditions, ThatTheAppAcceptsAreNone) {
  BackgroundSyncOptions tolerant;
  tolerant.hold_in_low_power = true;
  Conditions conditions{.low_power = true, .battery_percent = 1, .metered = true};
  auto it = away(tolerant, {.unsynced = true});
  it.audio(StrategyEvent::Held);
  it.taken();
  it.conditions(conditions);
  EXPECT_EQ(it.taken(), "");
  conditions.protected_data_available = false;
  it.conditions(conditions);
  EXPECT_EQ(it.taken(), "release silent_audio") << "locked files never are acceptable; the grace still runs";
}

TEST(Conditions, OneOfTwoThatEndsIsNotEnough) {
  auto it = away({}, {.unsynced = true});
  it.conditions({.low_power = true, .protected_data_available = false});
  it.pass(seconds(4));
  it.paused();
  it.taken();
  it.conditions({.protected_data_available = false});
  EXPECT_EQ(it.taken(), "");
  it.conditions({});
  EXPECT_EQ(it.taken(), "acquire silent_audio");
}

TEST(Conditions, DoNotPauseSyncWhereNothingSuspendsTheApp) {
  KeeperDriver it;
  it.intent(true);
  it.demand(true);
  it.state(AppState::Background);
  it.audio(StrategyEvent::Held);
  it.taken();
  it.conditions({.low_power = true});
  EXPECT_EQ(it.taken(), "release silent_audio");
  it.pass(std::chrono::hours(1));
  EXPECT_TRUE(it.sync_running());
}

TEST(Options, TheLadderIsTheAppsOrderOfWhatThePlatformHas) {
  BackgroundSyncOptions options;
  options.ladder = {ForegroundService, ContinuedTask, MediaPlayer};
  auto it = away(options, {.unsynced = true}, {SilentAudio, MediaPlayer, ForegroundService, TaskAssertion});
  EXPECT_EQ(it.taken(), "acquire foreground_service");
  it.event(ForegroundService, StrategyEvent::Refused);
  EXPECT_EQ(it.taken(), "release foreground_service, acquire media_player") << "no bridge: it was left out";
  it.event(MediaPlayer, StrategyEvent::Refused);
  EXPECT_EQ(it.taken(), "release media_player");
  it.pass(seconds(4));
  EXPECT_EQ(it.cause(), GapCause::Refused);
}

TEST(Options, WhatIsHeldAndLeftOutIsReleasedAndTheNextTakesOver) {
  auto it = away({}, {.unsynced = true}, {SilentAudio, MediaPlayer});
  it.audio(StrategyEvent::Held);
  it.pass(seconds(60));
  it.taken();
  BackgroundSyncOptions options;
  options.ladder = {MediaPlayer};
  it.options(options);
  EXPECT_EQ(it.taken(), "acquire media_player, release silent_audio");
  it.event(MediaPlayer, StrategyEvent::Held);
  EXPECT_TRUE(it.sync_running());
  it.options({});
  EXPECT_EQ(it.taken(), "acquire silent_audio") << "the whole ladder again, in the platform's order";
  it.audio(StrategyEvent::Held);
  EXPECT_EQ(it.taken(), "release media_player");
}

TEST(Options, AMoreDemandingModeCountsAtOnce) {
  auto it = away({.mode = BackgroundMode::WhileUnsynced}, {.peers = true});
  EXPECT_EQ(it.taken(), "");
  it.options({.mode = BackgroundMode::WhilePeersConnected});
  EXPECT_EQ(it.taken(), "acquire silent_audio");
}

struct PauseCase {
  const char* what;
  GapCause cause;
  std::function<void(KeeperDriver&)> before;
};

TEST(GapCauses, AreToldWithEachPause) {
  const std::vector<PauseCase> cases{
      {"off", GapCause::Off, [](KeeperDriver& it) { it.intent(false); }},
      {"nothing to sync", GapCause::NoDemand, [](KeeperDriver& it) { it.demand(false); }},
      {"a call", GapCause::Interrupted, [](KeeperDriver& it) { it.audio(StrategyEvent::Interrupted); }},
      {"a call that ended too late", GapCause::Interrupted,
       [](KeeperDriver& it) {
         it.audio(StrategyEvent::Interrupted);
         it.pass(seconds(3));
         it.audio(StrategyEvent::InterruptionEnded);
         it.pass(milliseconds(500));
         it.audio(StrategyEvent::Interrupted);
       }},
      {"an expiry", GapCause::Expired, [](KeeperDriver& it) { it.audio(StrategyEvent::Expired); }},
      {"a refusal", GapCause::Refused, [](KeeperDriver& it) { it.audio(StrategyEvent::Refused); }},
      {"a lost server", GapCause::Refused, [](KeeperDriver& it) { it.audio(StrategyEvent::Lost); }},
      {"the end of the app", GapCause::Ended, [](KeeperDriver& it) { it.state(AppState::Terminating, seconds(5)); }},
      {"a told sleep", GapCause::Suspended, [](KeeperDriver& it) { it.state(AppState::Suspended, seconds(5)); }},
  };
  for (const PauseCase& each : cases) {
    auto it = held_in_background();
    each.before(it);
    it.task(StrategyEvent::Refused);
    for (int i = 0; i < 100 && !it.pausing(); ++i) {
      it.pass(milliseconds(100));
    }
    ASSERT_TRUE(it.pausing()) << each.what;
    EXPECT_EQ(name_of(it.cause()), name_of(each.cause)) << each.what;
  }
}

}  // namespace
}  // namespace fermata::lifecycle
