#include <gtest/gtest.h>

#include "unit/lifecycle/keeper_driver.hpp"

namespace fermata::lifecycle {
namespace {

using enum Strategy;

KeeperDriver pulsing_in_background(Duration grace = kGrace) {
  KeeperDriver it({PulsedAudio, TaskAssertion});
  it.intent(true);
  it.demand(true);
  it.state(AppState::Background, grace);
  it.event(PulsedAudio, StrategyEvent::Held);
  return it;
}

std::size_t pulses_in(const std::string& actions) {
  std::size_t count = 0;
  for (auto at = actions.find("pulse 2"); at != std::string::npos; at = actions.find("pulse 2", at + 1)) {
    ++count;
  }
  return count;
}

TEST(Pulses, BeginAtOnceOnLeavingTheScreenAndThenComeWithEachPeriod) {
  KeeperDriver it({PulsedAudio});
  it.intent(true);
  it.demand(true);
  it.state(AppState::Inactive);
  it.event(PulsedAudio, StrategyEvent::Held);
  EXPECT_EQ(it.taken(), "acquire pulsed_audio, pulse 200");
  it.pass(seconds(10));
  EXPECT_EQ(it.taken(), "") << "nobody suspends what is still visible";
  it.state(AppState::Background, seconds(6));
  EXPECT_EQ(it.taken(), "pulse 200");
  EXPECT_EQ(it.status().pulse_period, seconds(2)) << "a third of the grace";
  it.pass(milliseconds(1999));
  EXPECT_EQ(it.taken(), "");
  it.pass(milliseconds(1));
  EXPECT_EQ(it.taken(), "pulse 200");
}

TEST(Pulses, KeepSyncRunningForHours) {
  auto it = pulsing_in_background();
  it.pass(std::chrono::hours(3));
  EXPECT_TRUE(it.sync_running());
  EXPECT_EQ(it.status().strategy, PulsedAudio);
  EXPECT_EQ(it.status().pulse_period, milliseconds(3500)) << "the grace less the reserve";
}

TEST(Pulses, EndWithTheStrategyAndBeginAnewWithIt) {
  auto it = pulsing_in_background();
  it.taken();
  it.event(PulsedAudio, StrategyEvent::Interrupted);
  it.task(StrategyEvent::Held, seconds(30));
  it.pass(seconds(10));
  EXPECT_EQ(it.taken(), "acquire task_assertion");
  it.event(PulsedAudio, StrategyEvent::InterruptionEnded);
  it.pass(Keeper::kRetryDelay);
  it.event(PulsedAudio, StrategyEvent::Held);
  EXPECT_EQ(it.taken(), "release pulsed_audio, acquire pulsed_audio, release task_assertion, pulse 200");
  it.state(AppState::Foreground);
  EXPECT_EQ(it.taken(), "release pulsed_audio");
  EXPECT_EQ(it.keeper().next_deadline(), std::nullopt);
}

TEST(Pulses, GoOnUntilSyncIsPaused) {
  auto it = pulsing_in_background(seconds(2));
  it.pass(seconds(60));
  it.taken();
  it.demand(false);
  EXPECT_EQ(it.taken(), "pause 1125");
  it.pass(milliseconds(1100));
  EXPECT_GE(pulses_in(it.taken()), 1u);
  it.paused();
  EXPECT_EQ(it.taken(), "release pulsed_audio, ready");
}

TEST(Pulses, AreMadeMoreOftenAndLongerAfterASuspension) {
  auto it = pulsing_in_background(seconds(6));
  it.pass(seconds(20));
  it.taken();
  it.freeze(seconds(30));
  it.deadline();
  EXPECT_EQ(it.taken(), "suspended 28000, release pulsed_audio, acquire pulsed_audio, acquire task_assertion");
  it.event(PulsedAudio, StrategyEvent::Held);
  EXPECT_EQ(it.taken(), "release task_assertion, pulse 400");
  EXPECT_EQ(it.status().pulse_period, milliseconds(1000));
}

TEST(Pulses, ThatHelpNothingAtTheirHeaviestAreGivenUp) {
  KeeperDriver it({PulsedAudio, SilentAudio});
  it.intent(true);
  it.demand(true);
  it.state(AppState::Background, kGrace);
  for (int i = 0; i < 6 && it.acquired(PulsedAudio); ++i) {
    it.event(PulsedAudio, StrategyEvent::Held);
    it.freeze(seconds(30));
    it.deadline();
  }
  EXPECT_FALSE(it.acquired(PulsedAudio));
  EXPECT_TRUE(it.acquired(SilentAudio)) << "the next on the ladder takes over";
}

TEST(Pulses, WhatWasLearnedCanBeGivenBack) {
  PulseLearner wise;
  wise.set_grace(seconds(6));
  wise.suspended();
  KeeperDriver it({PulsedAudio});
  it.keeper().set_pulse_learner(PulseLearner::decode(wise.encode()));
  it.intent(true);
  it.demand(true);
  it.state(AppState::Background, seconds(6));
  it.event(PulsedAudio, StrategyEvent::Held);
  EXPECT_EQ(it.taken(), "acquire pulsed_audio, pulse 400");
  EXPECT_EQ(it.status().pulse_period, milliseconds(1000));
}

TEST(Pulses, WhatWasLearnedNeverOutlastsTheGraceThatIsKnown) {
  auto it = pulsing_in_background(seconds(3));
  it.keeper().set_pulse_learner(PulseLearner::decode(R"({"period_ms":9000})"));
  EXPECT_EQ(it.status().pulse_period, milliseconds(1500));
}

// Pulses for that long, as the keeper makes them.
void pulse_for(PulseLearner& learner, Instant& now, Duration span) {
  for (const Instant until = now + span; now < until; now += learner.period()) {
    learner.pulsed(now);
  }
}

TEST(PulseLearner, StartsCautiously) {
  PulseLearner learner;
  EXPECT_EQ(learner.period(), seconds(2));
  EXPECT_EQ(learner.length(), milliseconds(200));
  learner.set_grace(seconds(9));
  EXPECT_EQ(learner.period(), seconds(3));
  learner.set_grace(milliseconds(10));
  EXPECT_EQ(learner.period(), PulseLearner::kMinPeriod);
}

TEST(PulseLearner, TakesATenthMoreTimeAfterTenQuietMinutesUpToTheGraceLessTheReserve) {
  PulseLearner learner;
  learner.set_grace(seconds(6));
  Instant now{};
  pulse_for(learner, now, std::chrono::minutes(9));
  EXPECT_EQ(learner.period(), seconds(2));
  pulse_for(learner, now, std::chrono::minutes(2));
  EXPECT_EQ(learner.period(), milliseconds(2200));
  pulse_for(learner, now, std::chrono::hours(10));
  EXPECT_EQ(learner.period(), milliseconds(4500));
}

TEST(PulseLearner, TimeWithoutPulsesIsNotQuiet) {
  PulseLearner learner;
  Instant now{};
  for (int i = 0; i < 100; ++i, now += std::chrono::minutes(5)) {
    learner.pulsed(now);
    learner.rest();
  }
  EXPECT_EQ(learner.period(), seconds(2));
}

TEST(PulseLearner, StaysAFifthBelowThePeriodThatFailed) {
  PulseLearner learner;
  learner.set_grace(seconds(30));
  EXPECT_EQ(learner.period(), seconds(10));
  learner.suspended();
  EXPECT_EQ(learner.period(), seconds(5));
  EXPECT_EQ(learner.length(), milliseconds(400));
  Instant now{};
  pulse_for(learner, now, std::chrono::hours(24));
  EXPECT_EQ(learner.period(), seconds(8));
}

TEST(PulseLearner, HasALeastPeriodAndAGreatestLengthAndKnowsWhenTheyFail) {
  PulseLearner learner;
  for (int i = 0; i < 3; ++i) {
    learner.suspended();
    EXPECT_FALSE(learner.exhausted());
  }
  EXPECT_EQ(learner.period(), PulseLearner::kMinPeriod);
  EXPECT_EQ(learner.length(), PulseLearner::kMaxLength);
  learner.suspended();
  EXPECT_TRUE(learner.exhausted());
}

TEST(PulseLearner, SurvivesTheProcess) {
  PulseLearner learner;
  learner.set_grace(seconds(30));
  learner.suspended();
  Instant now{};
  pulse_for(learner, now, std::chrono::minutes(25));
  auto again = PulseLearner::decode(learner.encode());
  again.set_grace(seconds(30));
  EXPECT_EQ(again.period(), learner.period());
  EXPECT_EQ(again.length(), learner.length());
  EXPECT_EQ(again.encode(), learner.encode());
}

TEST(PulseLearner, TakesDamageForNothingLearned) {
  for (const char* text : {"", "{", "[1]", "null", R"({"period_ms":-5,"length_ms":0,"failed_ms":"x"})",
                           R"({"period_ms":9223372036854775807,"length_ms":99999999,"failed_ms":1e300})",
                           R"({"period_ms":true,"length_ms":[],"failed_ms":{}})", "\xff\xfe\x00"}) {
    const auto learner = PulseLearner::decode(text);
    EXPECT_EQ(learner.period(), PulseLearner::kFirstPeriod) << text;
    EXPECT_EQ(learner.length(), PulseLearner::kFirstLength) << text;
  }
}

}  // namespace
}  // namespace fermata::lifecycle
