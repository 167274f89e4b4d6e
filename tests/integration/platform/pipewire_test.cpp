// Silence on a real PipeWire.
#include <gtest/gtest.h>

#include <fermata/platform.hpp>

#include "integration/platform/mailbox.hpp"
#include "integration/platform/sound_server.hpp"

namespace fermata {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kPulse(100);
constexpr milliseconds kForEver = std::chrono::minutes(10);

class PipeWire : public testing::Test {
 protected:
  void SetUp() override {
    ::unsetenv("FERMATA_PHONE_SOCKET");
    platform_ = make_default_platform();
    platform_->start({.on_app_state = [](AppState, auto) {},
                      .on_strategy = [this](Strategy, StrategyEvent event, auto) { events_.put(event); }});
  }
  void expect(StrategyEvent event) {
    const auto came = events_.take();
    ASSERT_TRUE(came) << "no event; expected " << name_of(event) << "\n" << server_.log();
    EXPECT_EQ(name_of(*came), name_of(event)) << server_.log();
  }
  void hold() {
    platform_->acquire(Strategy::PulsedAudio);
    expect(StrategyEvent::Held);
    ASSERT_TRUE(server_.await_stream(true, true));
  }
  void release() { platform_->release(Strategy::PulsedAudio); }

  SoundServer server_{SoundServer::Kind::PipeWire};
  Mailbox<StrategyEvent> events_;
  std::unique_ptr<Platform> platform_;
};

TEST_F(PipeWire, IsRecognisedAndGetsNoStreamWithoutEnd) {
  ASSERT_NE(server_.pactl("info").find("PipeWire"), std::string::npos);
  platform_->acquire(Strategy::SilentAudio);
  expect(StrategyEvent::Unsupported);
  EXPECT_TRUE(server_.await_stream(false, false));
  platform_->release(Strategy::SilentAudio);
  EXPECT_TRUE(events_.empty());
}

TEST_F(PipeWire, PlaysPulsesAndRestsBetweenThem) {
  hold();
  for (int i = 0; i < 3; ++i) {
    platform_->pulse(kForEver);
    EXPECT_TRUE(server_.await_stream(true, false));
    platform_->pulse(kPulse);
    EXPECT_TRUE(server_.await_stream(true, true));
  }
  release();
  EXPECT_TRUE(server_.await_stream(false, false));
  EXPECT_TRUE(events_.empty());
}

TEST_F(PipeWire, APulseThatNobodyLetsRunIsAnInterruptionUntilItRuns) {
  hold();
  server_.silence_our_stream();
  platform_->pulse(kPulse);
  expect(StrategyEvent::Interrupted);
  server_.let_our_stream_run();
  expect(StrategyEvent::InterruptionEnded);
  release();
  hold();
}

TEST_F(PipeWire, IsLostAndHeldAgainThreeTimesInARow) {
  for (int round = 0; round < 3; ++round) {
    hold();
    server_.kill();
    expect(StrategyEvent::Lost);
    release();
    server_.start();
  }
  hold();
  platform_->pulse(kForEver);
  EXPECT_TRUE(server_.await_stream(true, false));
}

}  // namespace
}  // namespace fermata
