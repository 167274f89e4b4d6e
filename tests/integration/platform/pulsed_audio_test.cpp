// Pulses against a real sound server.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fermata/platform.hpp>

#include "integration/platform/mailbox.hpp"
#include "integration/platform/sound_server.hpp"

namespace fermata {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kShortest(100);
constexpr milliseconds kLongest = std::chrono::minutes(10);

class PulsedAudio : public testing::Test {
 protected:
  void SetUp() override {
    ::unsetenv("FERMATA_PHONE_SOCKET");
    platform_ = make_default_platform();
    platform_->start({.on_app_state = [](AppState, std::optional<milliseconds>) {},
                      .on_strategy =
                          [this](Strategy strategy, StrategyEvent event, std::optional<milliseconds>) {
                            EXPECT_EQ(strategy, Strategy::PulsedAudio);
                            events_.put(event);
                          }});
  }
  void expect(StrategyEvent event) {
    const auto came = events_.take();
    ASSERT_TRUE(came) << "no event; expected " << name_of(event) << "\n" << server_.log();
    EXPECT_EQ(name_of(*came), name_of(event)) << server_.log();
  }
  void hold() {
    platform_->acquire(Strategy::PulsedAudio);
    expect(StrategyEvent::Held);
  }
  void release() { platform_->release(Strategy::PulsedAudio); }

  SoundServer server_;
  Mailbox<StrategyEvent> events_;
  std::unique_ptr<Platform> platform_;
};

TEST_F(PulsedAudio, RestsUntilAPulseAndRestsAgainAfterIt) {
  hold();
  EXPECT_TRUE(server_.await_stream(true, true));
  platform_->pulse(kLongest);
  EXPECT_TRUE(server_.await_stream(true, false));
  platform_->pulse(kShortest);
  EXPECT_TRUE(server_.await_stream(true, true));
  platform_->pulse(kLongest);
  EXPECT_TRUE(server_.await_stream(true, false));
  release();
  EXPECT_TRUE(server_.await_stream(false, false));
  EXPECT_TRUE(events_.empty());
}

TEST_F(PulsedAudio, APulseAskedForTooEarlyFollows) {
  platform_->pulse(kShortest);
  platform_->acquire(Strategy::PulsedAudio);
  platform_->pulse(kLongest);
  expect(StrategyEvent::Held);
  EXPECT_TRUE(server_.await_stream(true, false));
}

TEST_F(PulsedAudio, ACallDuringAPulseInterruptsUntilItsEnd) {
  hold();
  platform_->pulse(kLongest);
  ASSERT_TRUE(server_.await_stream(true, false));
  auto call = server_.call();
  expect(StrategyEvent::Interrupted);
  EXPECT_TRUE(server_.await_stream(true, true));
  platform_->pulse(kLongest);
  EXPECT_TRUE(server_.our_stream().corked) << "we must yield";
  call.reset();
  expect(StrategyEvent::InterruptionEnded);
  release();
  hold();
}

TEST_F(PulsedAudio, ACallWhileItRestsInterruptsWithTheNextPulse) {
  hold();
  auto call = server_.call();
  platform_->pulse(kLongest);
  expect(StrategyEvent::Interrupted);
  EXPECT_TRUE(server_.await_stream(true, true));
  call.reset();
  expect(StrategyEvent::InterruptionEnded);
  release();
  hold();
  platform_->pulse(kLongest);
  EXPECT_TRUE(server_.await_stream(true, false));
}

TEST_F(PulsedAudio, AcquiredDuringACallItSaysInterrupted) {
  auto call = server_.call();
  platform_->acquire(Strategy::PulsedAudio);
  expect(StrategyEvent::Interrupted);
  call.reset();
  expect(StrategyEvent::InterruptionEnded);
}

TEST_F(PulsedAudio, ALostRouteIsSeenWithTheNextPulseAndItsReturnToo) {
  hold();
  server_.pactl("suspend-sink null0 1");
  const auto begin = std::chrono::steady_clock::now();
  platform_->pulse(kShortest);
  expect(StrategyEvent::Interrupted);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(500)) << "a sound card needs a while to wake";
  server_.pactl("suspend-sink null0 0");
  expect(StrategyEvent::InterruptionEnded);
  release();
  hold();
}

TEST_F(PulsedAudio, ASinkThatSleepsBetweenPulsesInterruptsNothing) {
  server_.pactl("load-module module-suspend-on-idle timeout=1");
  hold();
  ASSERT_TRUE(server_.await_sink("SUSPENDED"));
  for (int i = 0; i < 3; ++i) {
    platform_->pulse(kLongest);
    EXPECT_TRUE(server_.await_stream(true, false));
    EXPECT_TRUE(server_.await_sink("RUNNING"));
    platform_->pulse(kShortest);
    EXPECT_TRUE(server_.await_stream(true, true));
  }
  EXPECT_TRUE(events_.empty());
}

TEST_F(PulsedAudio, IsLostWithItsServer) {
  hold();
  server_.kill();
  expect(StrategyEvent::Lost);
  platform_->pulse(kShortest);
  release();
  server_.start();
  hold();
}

}  // namespace
}  // namespace fermata
