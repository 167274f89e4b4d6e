// The shim under the real keeper, on a phone that we play: each defect of the published recipe, and that we have it
// not.
#include <atomic>
#include <fermata/background_sync.hpp>

#include "FermataBackgroundSync.h"
#include "fixture.h"

namespace fermata::apple {
namespace {

class AppleKeeperTest : public AppleTest {
 protected:
  AppleKeeperTest()
      : keeper_(
            std::make_unique<BackgroundSync>(std::make_unique<ApplePlatform>(declared(), [](const std::string&) {}))) {
    // It runs from now on, although it is off. Its status says "foreground" before it has asked anybody; the first
    // report comes after the platform has begun to listen.
    keeper_->observe([this](const BackgroundSyncStatus&) { reported_ = true; });
    until("a first report", [this] { return reported_.load(); });
    Phone::settle();
  }
  ~AppleKeeperTest() override {
    keeper_.reset();
    Phone::settle();
  }

  static Declared declared() {
    Declared declared;
    declared.audio = true;
    return declared;
  }
  void until(const char* what, const std::function<bool()>& done) {
    EXPECT_TRUE(Phone::wait_until(done, kSoon)) << what << " did not come to be; " << keeper_->status().reason;
  }
  void on() {
    keeper_->start({.mode = BackgroundMode::Always, .ladder = {Strategy::SilentAudio, Strategy::TaskAssertion}});
  }
  void playing_in_background() {
    on();
    phone_.leave_screen();
    until("playing", [this] { return phone_.sounding() && keeper_->status().holding; });
    phone_.clear_journal();
  }

  std::atomic<bool> reported_ = false;  // outlives the keeper, whose thread sets it
  std::unique_ptr<BackgroundSync> keeper_;
};

// Defect: it is told to start, and its guard lets nothing happen because isOn never becomes true.
TEST_F(AppleKeeperTest, StartMakesIsOnTrueAndLeavingTheScreenMakesItPlay) {
  EXPECT_FALSE(keeper_->is_on());
  on();
  EXPECT_TRUE(keeper_->is_on());
  EXPECT_FALSE(phone_.sounding()) << "nothing is held on the screen";
  phone_.leave_screen();
  until("playing", [this] { return phone_.sounding(); });
}

TEST_F(AppleKeeperTest, SoundIsThereBeforeTheAppIsInTheBackground) {
  on();
  until("on", [this] { return keeper_->status().is_on; });
  Phone::post("UIApplicationWillResignActiveNotification");
  until("playing", [this] { return phone_.sounding(); });
  EXPECT_EQ(phone_.world.state, 0) << "still on the screen";
}

// Defect: it plays when the interruption begins.
TEST_F(AppleKeeperTest, NothingIsPlayedWhileACallRuns) {
  playing_in_background();
  phone_.call_begins();
  until("a bridge", [this] { return phone_.open_tasks() > 0; });
  EXPECT_EQ(phone_.count("play loops -1 volume 0.01") + phone_.count("play: refused"), 0U);
}

// Defects: it does nothing when the interruption ends, and never activates the session again.
TEST_F(AppleKeeperTest, AfterACallTheSessionIsActivatedAndItPlaysAgain) {
  playing_in_background();
  phone_.call_begins();
  until("silence", [this] { return !keeper_->status().holding || keeper_->status().interruptions == 1; });
  phone_.call_ends();
  until("playing", [this] { return phone_.sounding(); });
  EXPECT_GE(phone_.count("setActive yes"), 1U);
  until("a recovery", [this] { return keeper_->status().recoveries == 1; });
}

// Defect: it tries once, at the moment at which an alarm has not given the session back.
TEST_F(AppleKeeperTest, ASessionThatIsGivenBackLateIsTriedForAgain) {
  playing_in_background();
  phone_.alarm_rings_and_stops();
  until("playing", [this] { return phone_.sounding(); });
  EXPECT_EQ(phone_.count("setActive yes: refused"), 1U);
}

// Defect: there is no background task around the recovery, so that it gets no CPU.
TEST_F(AppleKeeperTest, ATaskAssertionIsHeldFromTheBeginningOfACallUntilItPlaysAgain) {
  playing_in_background();
  phone_.call_begins();
  until("a bridge", [this] { return phone_.count("begin task fermata") == 1; });
  phone_.call_ends();
  until("playing", [this] { return phone_.sounding(); });
  until("the bridge's end", [this] { return phone_.open_tasks() == 0; });
  EXPECT_EQ(phone_.count("end task"), 1U);
}

// Defect: a route that is lost is not seen.
TEST_F(AppleKeeperTest, ItPlaysAgainAfterTheHeadphonesAreUnplugged) {
  playing_in_background();
  phone_.unplug_headphones();
  until("playing", [this] { return phone_.sounding(); });
}

// Defect: a reset of the media services is not seen, and the old player is dead for ever.
TEST_F(AppleKeeperTest, ItPlaysAgainAfterTheMediaServicesAreReset) {
  playing_in_background();
  phone_.lose_media_services();
  until("a loss", [this] { return keeper_->status().interruptions == 1; });
  phone_.restart_media_services();
  until("playing", [this] { return phone_.sounding(); });
}

// Defects: stop() leaves the session active and the observer attached.
TEST_F(AppleKeeperTest, StopDeactivatesTheSessionTellsOthersAndListensNoMore) {
  const auto listening = phone_.observers();
  playing_in_background();
  EXPECT_GT(phone_.observers(), listening) << "sound is listened for";
  keeper_->stop();
  until("deactivation", [this] { return phone_.count("setActive no, others told") == 1; });
  EXPECT_FALSE(phone_.world.session_active);
  until("fewer listeners", [&] { return phone_.observers() == listening; });
  phone_.call_begins();
  phone_.call_ends();
  Phone::settle();
  EXPECT_FALSE(phone_.sounding());
  EXPECT_FALSE(keeper_->is_on());
}

// Defect: it plays with nothing to sync.
TEST_F(AppleKeeperTest, WithNothingToSyncNothingIsPlayedAndTheAppMayBeSuspended) {
  keeper_->start({.mode = BackgroundMode::WhileUnsynced});
  phone_.leave_screen();
  until("ready to be suspended", [this] { return phone_.count("end task") == 1; });
  EXPECT_EQ(phone_.count("setActive yes"), 0U);
}

TEST_F(AppleKeeperTest, ReturningToTheScreenReleasesEverything) {
  playing_in_background();
  phone_.return_to_screen();
  until("silence", [this] { return phone_.count("setActive no, others told") == 1; });
  EXPECT_EQ(phone_.open_tasks(), 0U);
}

TEST_F(AppleKeeperTest, ACallLongerThanTheAssertionEndsWithEverythingPausedAndEnded) {
  playing_in_background();
  phone_.call_begins();
  until("a bridge", [this] { return phone_.open_tasks() > 0; });
  Phone::settle();
  phone_.world.time_remaining = 3;
  phone_.expire_background_tasks();
  until("paused", [this] { return !keeper_->status().syncing; });
  EXPECT_EQ(phone_.open_tasks(), 0U);
  phone_.return_to_screen();
  until("sync", [this] { return keeper_->status().syncing; });
}

TEST_F(AppleKeeperTest, TenRoundsOfLeavingAndReturningLeaveNothingBehind) {
  on();
  for (int round = 0; round < 10; ++round) {
    phone_.leave_screen();
    until("playing", [this] { return phone_.sounding(); });
    phone_.return_to_screen();
    until("silence", [this] { return !phone_.sounding(); });
  }
  until("as many ends as beginnings",
        [this] { return phone_.count("setActive yes") == phone_.count("setActive no, others told"); });
  EXPECT_EQ(phone_.open_tasks(), 0U);
}

// The façade, whose shape people know from the recipe. It is over the keeper of the process, which goes on listening:
// last.
TEST(AppleFacadeTest, TheFacadeHasTheShapeOfTheRecipe) {
  NSAutoreleasePool* const pool = [[NSAutoreleasePool alloc] init];
  Phone::one().reset();
  FMTBackgroundSync* const shared = [FMTBackgroundSync shared];
  EXPECT_EQ([FMTBackgroundSync shared], shared);
  EXPECT_FALSE([shared isOn]);
  const auto told_on = std::make_shared<bool>(false);
  [shared observe:^(FMTBackgroundSyncStatus* status) {
    *told_on = *told_on || [status isOn];
  }];
  [shared startWithMode:FMTBackgroundModeAlways storeSafe:YES];
  EXPECT_TRUE([shared isOn]);
  EXPECT_TRUE(Phone::wait_until([&] { return *told_on; }, kSoon));
  EXPECT_GT([[[shared status] reason] length], 0U);
  EXPECT_GT(Phone::one().observers(), 0U) << "it must use the shim";
  FMTHold* const need = [shared holdWithReason:@"an upload"];
  [need end];
  [need end];
  [shared stop];
  EXPECT_FALSE([shared isOn]);
  [shared observe:nil];
  [pool release];
}

}  // namespace
}  // namespace fermata::apple
