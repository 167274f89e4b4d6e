// The adapter to the phone simulator against a scripted phone.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fermata/platform.hpp>

#include "integration/platform/mailbox.hpp"
#include "integration/platform/scripted_phone.hpp"

namespace fermata {
namespace {

using std::chrono::milliseconds;

// Reports as words, such as "background 5000" or "task_assertion held 30000".
class PhoneLink : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("PULSE_SERVER", "unix:/nonexistent", 1);
    platform_ = make_default_platform();
    platform_->start({.on_app_state = [this](AppState state, auto left) { report(name_of(state), left); },
                      .on_strategy =
                          [this](Strategy strategy, StrategyEvent event, auto left) {
                            report(std::string(name_of(strategy)) + " " + std::string(name_of(event)), left);
                          },
                      .on_conditions = [this](const Conditions& now) { report(words_for(now), std::nullopt); }});
    phone_.accept();
    EXPECT_EQ(phone_.hear().substr(0, 8), "hello 1 ");
  }
  void TearDown() override {
    platform_.reset();
    ::unsetenv("PULSE_SERVER");
  }
  void report(std::string_view what, std::optional<milliseconds> left) {
    reports_.put(std::string(what) + (left ? " " + std::to_string(left->count()) : ""));
  }
  static std::string words_for(const Conditions& now) {
    std::string words = "conditions";
    words += now.low_power ? " low_power" : "";
    words += now.metered ? " metered" : "";
    words += now.protected_data_available ? "" : " locked";
    words += now.battery_percent ? " battery=" + std::to_string(*now.battery_percent) : "";
    return words;
  }
  std::string next() { return reports_.take().value_or("nothing"); }
  std::string begun_task() {
    platform_->acquire(Strategy::TaskAssertion);
    const std::string line = phone_.hear();
    EXPECT_EQ(line.substr(0, 11), "task begin ");
    return line.size() > 11 ? line.substr(11) : "none";
  }

  ScriptedPhone phone_;
  Mailbox<std::string> reports_;
  std::unique_ptr<Platform> platform_;
};

TEST_F(PhoneLink, OffersATaskAssertionToo) {
  EXPECT_EQ(platform_->strategies(), (std::vector{Strategy::MediaPlayer, Strategy::SilentAudio, Strategy::PulsedAudio,
                                                  Strategy::TaskAssertion}));
}

TEST_F(PhoneLink, HasNoStrategyOfOtherSystems) {
  platform_->acquire(Strategy::ForegroundService);
  EXPECT_EQ(next(), "foreground_service unsupported");
  platform_->release(Strategy::ForegroundService);
  platform_->acquire(Strategy::ContinuedTask);
  EXPECT_EQ(next(), "continued_task unsupported");
}

TEST_F(PhoneLink, TranslatesStates) {
  phone_.say("state foreground\nstate background time_left_ms=5000\n");
  EXPECT_EQ(next(), "foreground");
  EXPECT_EQ(next(), "background 5000");
  phone_.say("state backgr");
  phone_.say("ound\n");
  EXPECT_EQ(next(), "background");
}

TEST_F(PhoneLink, TranslatesTheStatesBetweenAndAtTheEnd) {
  phone_.say("state inactive\nstate terminating time_left_ms=3000\n");
  EXPECT_EQ(next(), "inactive");
  EXPECT_EQ(next(), "terminating 3000");
}

TEST_F(PhoneLink, TranslatesConditionsAndKeepsThoseNotSpokenOf) {
  phone_.say("condition low_power on\ncondition battery 17\n");
  EXPECT_EQ(next(), "conditions low_power");
  EXPECT_EQ(next(), "conditions low_power battery=17");
  phone_.say("condition metered on\ncondition protected_data off\n");
  EXPECT_EQ(next(), "conditions low_power metered battery=17");
  EXPECT_EQ(next(), "conditions low_power metered locked battery=17");
  phone_.say("condition low_power off\ncondition battery mains\n");
  EXPECT_EQ(next(), "conditions metered locked battery=17");
  EXPECT_EQ(next(), "conditions metered locked");
}

TEST_F(PhoneLink, HangsUpOnAPhoneThatDoesNotReadInsteadOfWaitingForIt) {
  const auto begin = std::chrono::steady_clock::now();
  std::size_t said = 0;
  while (reports_.empty() && said < 1'000'000) {
    platform_->ready_to_suspend();
    ++said;
  }
  EXPECT_EQ(next(), "foreground") << "not hung up after " << said << " lines";
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST_F(PhoneLink, TakesAndEndsATask) {
  const std::string name = begun_task();
  phone_.say("task granted " + name + " time_left_ms=30000\n");
  EXPECT_EQ(next(), "task_assertion held 30000");
  phone_.say("task expiring " + name + " time_left_ms=5000\n");
  EXPECT_EQ(next(), "task_assertion expired 5000");
  platform_->release(Strategy::TaskAssertion);
  EXPECT_EQ(phone_.hear(), "task end " + name);
  platform_->ready_to_suspend();
  EXPECT_EQ(phone_.hear(), "ready 0");
}

TEST_F(PhoneLink, IsReadyForTheStateThatItHasReportedLast) {
  phone_.say("state foreground\nstate background time_left_ms=5000\n");
  EXPECT_EQ(next(), "foreground");
  EXPECT_EQ(next(), "background 5000");
  platform_->ready_to_suspend();
  EXPECT_EQ(phone_.hear(), "ready 2");
  phone_.say("state foreground\n");
  EXPECT_EQ(next(), "foreground");
  platform_->ready_to_suspend();
  EXPECT_EQ(phone_.hear(), "ready 3");
}

TEST_F(PhoneLink, ARefusedTaskNeedsNoEnd) {
  const std::string name = begun_task();
  phone_.say("task refused " + name + " foreground\n");
  EXPECT_EQ(next(), "task_assertion refused");
  platform_->release(Strategy::TaskAssertion);
  platform_->ready_to_suspend();
  EXPECT_EQ(phone_.hear(), "ready 0");
}

TEST_F(PhoneLink, AnAnswerToATaskThatIsOverIsNotReported) {
  const std::string first = begun_task();
  platform_->release(Strategy::TaskAssertion);
  EXPECT_EQ(phone_.hear(), "task end " + first);
  const std::string second = begun_task();
  EXPECT_NE(first, second);
  phone_.say("task granted " + first + " time_left_ms=1\ntask granted " + second + " time_left_ms=2\n");
  EXPECT_EQ(next(), "task_assertion held 2");
}

TEST_F(PhoneLink, IgnoresWhatItDoesNotKnow) {
  phone_.say(
      "\nstate\nstate nowhere\ntask\ntask granted\nweather fine\nstate background time_left_ms=-1\n"
      "condition\ncondition low_power\ncondition low_power maybe\ncondition weather on\n"
      "condition battery 101\ncondition battery -1\n");
  EXPECT_EQ(next(), "background");
  phone_.say("state background time_left_ms=99999999999999\nstate foreground\n");
  EXPECT_EQ(next(), "background");
  EXPECT_EQ(next(), "foreground");
}

TEST_F(PhoneLink, AnEndlessLineIsAHangup) {
  phone_.say(std::string(8000, 'x'));
  EXPECT_EQ(next(), "foreground");
}

TEST_F(PhoneLink, WithoutItsPhoneTheProgramIsInTheForeground) {
  begun_task();
  phone_.hang_up();
  EXPECT_EQ(next(), "task_assertion lost");
  EXPECT_EQ(next(), "foreground");
  platform_->acquire(Strategy::TaskAssertion);
  EXPECT_EQ(next(), "task_assertion refused");
}

TEST_F(PhoneLink, EndsItsTaskAndHangsUpWithThePlatform) {
  const std::string name = begun_task();
  platform_.reset();
  EXPECT_EQ(phone_.hear(), "task end " + name);
  EXPECT_EQ(phone_.hear(), "");
  EXPECT_TRUE(reports_.empty());
}

TEST(PhoneLinkWithoutAPhone, IsAnOrdinaryProgramInTheForeground) {
  ::setenv("FERMATA_PHONE_SOCKET", "/nonexistent/phone", 1);
  Mailbox<AppState> states;
  const auto platform = make_default_platform();
  testing::internal::CaptureStderr();
  platform->start({.on_app_state = [&](AppState state, auto) { states.put(state); },
                   .on_strategy = [](Strategy, StrategyEvent, auto) {}});
  EXPECT_NE(testing::internal::GetCapturedStderr().find("no phone at /nonexistent/phone"), std::string::npos);
  EXPECT_EQ(states.take(), AppState::Foreground);
  EXPECT_EQ(platform->strategies(), (std::vector{Strategy::MediaPlayer, Strategy::SilentAudio, Strategy::PulsedAudio}));
  ::unsetenv("FERMATA_PHONE_SOCKET");
}

}  // namespace
}  // namespace fermata
