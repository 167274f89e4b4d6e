// The rows of the event table that are about sound.
#include "fixture.h"

namespace fermata::apple {
namespace {

TEST_F(AppleTest, SilentAudioSetsItsCategoryThenActivatesThenPlaysALoopThatNobodyHears) {
  start();
  platform_->acquire(Strategy::SilentAudio);
  EXPECT_EQ(phone_.journal(), (Lines{"setCategory AVAudioSessionCategoryPlayback AVAudioSessionModeDefault mixing",
                                     "setActive yes", "play loops -1 volume 0.01"}));
  EXPECT_TRUE(heard_.has("silent_audio held"));
  EXPECT_TRUE(phone_.sounding());
}

TEST_F(AppleTest, ReleasingSilentAudioStopsDeactivatesAndTellsOthers) {
  start();
  hold(Strategy::SilentAudio);
  const auto listening = phone_.observers();
  platform_->release(Strategy::SilentAudio);
  EXPECT_EQ(phone_.journal(), (Lines{"stop", "setActive no, others told"}));
  EXPECT_FALSE(phone_.sounding());
  EXPECT_LT(phone_.observers(), listening) << "nobody may listen for sound any more";
  phone_.clear_journal();
  platform_->release(Strategy::SilentAudio);
  EXPECT_EQ(phone_.journal(), Lines{}) << "releasing twice is harmless";
}

TEST_F(AppleTest, TheBeginningOfAnInterruptionIsToldAndNothingIsPlayed) {
  start();
  hold(Strategy::SilentAudio);
  phone_.call_begins();
  EXPECT_EQ(heard_.all(), Lines{"silent_audio interrupted"});
  EXPECT_EQ(phone_.journal(), Lines{});
}

TEST_F(AppleTest, TheEndOfAnInterruptionIsToldWhateverTheSystemAdvises) {
  start();
  hold(Strategy::SilentAudio);
  phone_.call_begins();
  phone_.call_ends();  // without shouldResume
  EXPECT_EQ(heard_.all(), (Lines{"silent_audio interrupted", "silent_audio interruption_ended"}));
  EXPECT_EQ(phone_.journal(), Lines{}) << "the keeper decides when to play";
  heard_.clear();
  Phone::post("AVAudioSessionInterruptionNotification", "AVAudioSessionInterruptionTypeKey", 0,
              "AVAudioSessionInterruptionOptionKey", 1);
  EXPECT_EQ(heard_.all(), Lines{"silent_audio interruption_ended"});
}

TEST_F(AppleTest, AcquiringAfterAnInterruptionActivatesTheSessionAgainAndTakesANewPlayer) {
  start();
  hold(Strategy::SilentAudio);
  phone_.call_begins();
  phone_.call_ends();
  EXPECT_FALSE(phone_.sounding());
  platform_->acquire(Strategy::SilentAudio);
  EXPECT_EQ(phone_.journal(), (Lines{"setCategory AVAudioSessionCategoryPlayback AVAudioSessionModeDefault mixing",
                                     "setActive yes", "play loops -1 volume 0.01"}));
  EXPECT_TRUE(phone_.sounding());
}

TEST_F(AppleTest, ARefusedActivationIsRefusedInWords) {
  start();
  phone_.world.refusals = 1;
  platform_->acquire(Strategy::SilentAudio);
  EXPECT_TRUE(heard_.has("silent_audio refused"));
  EXPECT_NE(explained().find("cannot activate the audio session: the sound of another app"), std::string::npos);
  EXPECT_NE(explained().find("560557684"), std::string::npos);
  EXPECT_EQ(phone_.count("play: refused"), 0U) << "nothing is played on a session that is not active";
  heard_.clear();
  platform_->acquire(Strategy::SilentAudio);
  EXPECT_TRUE(heard_.has("silent_audio held"));
}

TEST_F(AppleTest, APlayerThatDoesNotPlayIsRefused) {
  start();
  phone_.world.refused_plays = 1;
  platform_->acquire(Strategy::SilentAudio);
  EXPECT_TRUE(heard_.has("silent_audio refused"));
  EXPECT_NE(explained().find("cannot play silence"), std::string::npos);
}

TEST_F(AppleTest, LosingTheRouteIsALossAlthoughThePlayerStillSaysThatItPlays) {
  start();
  hold(Strategy::SilentAudio);
  phone_.unplug_headphones();
  EXPECT_EQ(heard_.all(), Lines{"silent_audio lost"});
  platform_->acquire(Strategy::SilentAudio);
  EXPECT_TRUE(phone_.sounding());
}

TEST_F(AppleTest, OtherChangesOfTheRouteAreNoLoss) {
  start();
  hold(Strategy::SilentAudio);
  for (const unsigned long reason : {0UL, 1UL, 3UL, 4UL, 6UL, 8UL}) {
    Phone::post("AVAudioSessionRouteChangeNotification", "AVAudioSessionRouteChangeReasonKey", reason);
  }
  EXPECT_EQ(heard_.all(), Lines{});
  EXPECT_TRUE(phone_.sounding());
}

TEST_F(AppleTest, ARouteChangeToldFromInsideAnActivationDoesNoHarm) {
  start();
  phone_.world.route_change_inside_activation = true;
  platform_->acquire(Strategy::SilentAudio);
  EXPECT_TRUE(phone_.sounding());
}

TEST_F(AppleTest, LostMediaServicesThrowThePlayerAwayAndTheNextAcquisitionBuildsAnother) {
  start();
  hold(Strategy::SilentAudio);
  phone_.lose_media_services();
  EXPECT_EQ(heard_.all(), Lines{"silent_audio lost"});
  platform_->acquire(Strategy::SilentAudio);
  EXPECT_TRUE(heard_.has("silent_audio refused")) << "they are not back yet";
  phone_.restart_media_services();
  platform_->acquire(Strategy::SilentAudio);
  EXPECT_TRUE(phone_.sounding());
}

TEST_F(AppleTest, AResetOfTheMediaServicesWithoutALossIsALoss) {
  start();
  hold(Strategy::SilentAudio);
  phone_.restart_media_services();
  EXPECT_EQ(heard_.all(), Lines{"silent_audio lost"});
  platform_->acquire(Strategy::SilentAudio);
  EXPECT_TRUE(phone_.sounding());
}

TEST_F(AppleTest, ABeginningThatIsToldAfterASuspensionWillNotEndAndIsALoss) {
  start();
  hold(Strategy::SilentAudio);
  for (const unsigned long reason : {1UL, 4UL}) {  // appWasSuspended, routeDisconnected
    heard_.clear();
    Phone::post("AVAudioSessionInterruptionNotification", "AVAudioSessionInterruptionTypeKey", 1,
                "AVAudioSessionInterruptionReasonKey", reason);
    EXPECT_EQ(heard_.all(), Lines{"silent_audio lost"});
  }
}

TEST_F(AppleTest, AnInterruptionWithoutATypeIsPassedOver) {
  start();
  hold(Strategy::SilentAudio);
  Phone::post("AVAudioSessionInterruptionNotification");
  EXPECT_EQ(heard_.all(), Lines{});
}

TEST_F(AppleTest, PulsesAreShortFiniteAndReactivateTheSession) {
  start();
  platform_->acquire(Strategy::PulsedAudio);
  EXPECT_TRUE(heard_.has("pulsed_audio held"));
  EXPECT_FALSE(phone_.sounding()) << "nothing is heard before the first pulse";
  phone_.clear_journal();
  platform_->pulse(200ms);
  EXPECT_EQ(phone_.journal(), (Lines{"setCategory AVAudioSessionCategoryPlayback AVAudioSessionModeDefault mixing",
                                     "setActive yes", "play loops 0 volume 0.01"}));
}

TEST_F(AppleTest, APulseThatTheSystemDoesNotLetPlayIsALoss) {
  start();
  hold(Strategy::PulsedAudio);
  phone_.world.refusals = 1;
  platform_->pulse(200ms);
  EXPECT_EQ(heard_.all(), Lines{"pulsed_audio lost"});
}

TEST_F(AppleTest, APulseWithoutAnAcquisitionIsHarmless) {
  start();
  platform_->pulse(200ms);
  EXPECT_EQ(phone_.journal(), Lines{});
}

TEST_F(AppleTest, TheSessionStaysActiveUntilTheLastOfItsTwoUsersIsReleased) {
  start();
  hold(Strategy::SilentAudio);
  hold(Strategy::PulsedAudio);
  platform_->release(Strategy::PulsedAudio);
  EXPECT_EQ(phone_.count("setActive no, others told"), 0U);
  EXPECT_TRUE(phone_.sounding());
  platform_->release(Strategy::SilentAudio);
  EXPECT_EQ(phone_.count("setActive no, others told"), 1U);
}

TEST_F(AppleTest, WithoutDeclaredBackgroundAudioNoAudioIsOffered) {
  Declared nothing;
  start(nothing);
  EXPECT_EQ(platform_->strategies(), std::vector{Strategy::TaskAssertion});
}

TEST_F(AppleTest, WhatIsDeclaredIsOfferedBestFirst) {
  start();
  EXPECT_EQ(platform_->strategies(), (std::vector{Strategy::SilentAudio, Strategy::PulsedAudio, Strategy::ContinuedTask,
                                                  Strategy::TaskAssertion}));
}

TEST_F(AppleTest, WhatAppleDoesNotHaveIsUnsupported) {
  start();
  platform_->acquire(Strategy::MediaPlayer);
  platform_->acquire(Strategy::ForegroundService);
  EXPECT_TRUE(heard_.has("media_player unsupported"));
  EXPECT_TRUE(heard_.has("foreground_service unsupported"));
}

}  // namespace
}  // namespace fermata::apple
