// Silent audio against a real sound server.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fermata/platform.hpp>

#include "integration/platform/mailbox.hpp"
#include "integration/platform/message_bus.hpp"
#include "integration/platform/sound_server.hpp"

namespace fermata {
namespace {

class SilentAudio : public testing::Test {
 protected:
  void SetUp() override {
    ::unsetenv("FERMATA_PHONE_SOCKET");
    platform_ = make_default_platform();
    platform_->start({.on_app_state = [](AppState, std::optional<std::chrono::milliseconds>) {},
                      .on_strategy =
                          [this](Strategy strategy, StrategyEvent event, std::optional<std::chrono::milliseconds>) {
                            EXPECT_EQ(strategy, Strategy::SilentAudio);
                            events_.put(event);
                          }});
  }
  void acquire() { platform_->acquire(Strategy::SilentAudio); }
  void release() { platform_->release(Strategy::SilentAudio); }
  void expect(StrategyEvent event) {
    const auto came = events_.take();
    ASSERT_TRUE(came) << "no event; expected " << name_of(event) << "\n" << server_.log();
    EXPECT_EQ(name_of(*came), name_of(event)) << server_.log();
  }
  void hold() {
    acquire();
    expect(StrategyEvent::Held);
    ASSERT_TRUE(server_.await_stream(true, false)) << server_.pactl("list sink-inputs");
  }

  SoundServer server_;
  Mailbox<StrategyEvent> events_;
  std::unique_ptr<Platform> platform_;
};

TEST_F(SilentAudio, IsAMusicStreamOfOurProcessThatPlays) {
  hold();
  const auto seen = server_.our_stream();
  EXPECT_EQ(seen.role, "music");
  EXPECT_EQ(seen.format, "u8 1ch 8000Hz");
  EXPECT_FALSE(seen.muted);
}

TEST_F(SilentAudio, LeavesNothingBehindWhenReleased) {
  const int threads = threads_of_this_process();
  const int descriptors = descriptors_of_this_process();
  hold();
  release();
  EXPECT_TRUE(server_.await_stream(false, false));
  EXPECT_EQ(threads_of_this_process(), threads);
  EXPECT_EQ(descriptors_of_this_process(), descriptors);
  EXPECT_TRUE(events_.empty());
}

TEST_F(SilentAudio, TwoAcquiresAreOneStream) {
  hold();
  acquire();
  expect(StrategyEvent::Held);
  release();
  EXPECT_TRUE(server_.await_stream(false, false));
}

TEST_F(SilentAudio, YieldsToACallAndIsHeldAgainAfterIt) {
  hold();
  auto call = server_.call();
  expect(StrategyEvent::Interrupted);
  EXPECT_TRUE(server_.await_stream(true, true));
  call.reset();
  expect(StrategyEvent::InterruptionEnded);
  EXPECT_TRUE(server_.our_stream().corked) << "nobody asked for it yet";
  hold();
  EXPECT_FALSE(server_.our_stream().muted);
}

TEST_F(SilentAudio, OverlappingCallsAreOneInterruption) {
  hold();
  auto first = server_.call();
  expect(StrategyEvent::Interrupted);
  auto second = server_.call();
  first.reset();
  EXPECT_TRUE(server_.await_stream(true, true));
  second.reset();
  expect(StrategyEvent::InterruptionEnded);
  EXPECT_TRUE(events_.empty());
}

TEST_F(SilentAudio, AcquiredDuringACallItSaysInterrupted) {
  auto call = server_.call();
  acquire();
  expect(StrategyEvent::Interrupted);
  EXPECT_TRUE(server_.await_stream(true, true));
  release();
  acquire();
  expect(StrategyEvent::Interrupted);
  call.reset();
  expect(StrategyEvent::InterruptionEnded);
  release();
  hold();
}

// Somebody who muted music in the mixer still lets it play; only a call takes the sound.
TEST_F(SilentAudio, AMutedStreamWithoutACallIsHeld) {
  server_.pactl("load-module module-stream-restore");
  hold();
  server_.pactl("set-sink-input-mute " + server_.our_stream().index + " 1");
  release();
  hold();
  EXPECT_TRUE(server_.our_stream().muted) << "remembered for the role, or this test tests nothing";
}

TEST_F(SilentAudio, IsLostWithItsServerAndBuiltAnewOnTheNextOne) {
  hold();
  server_.kill();
  expect(StrategyEvent::Lost);
  release();
  acquire();
  expect(StrategyEvent::Refused);
  release();
  server_.start();
  hold();
}

TEST_F(SilentAudio, ASuspendedSinkInterruptsUntilItResumes) {
  hold();
  server_.pactl("suspend-sink null0 1");
  expect(StrategyEvent::Interrupted);
  server_.pactl("suspend-sink null0 0");
  expect(StrategyEvent::InterruptionEnded);
  release();
  hold();
}

TEST_F(SilentAudio, MovesToAnotherSinkWithoutAnInterruption) {
  hold();
  const std::string before = server_.our_stream().sink;
  server_.pactl("load-module module-null-sink sink_name=other");
  server_.pactl("unload-module 0");  // the first one loaded: our sink
  ASSERT_TRUE(server_.await_stream(true, false));
  EXPECT_NE(server_.our_stream().sink, before);
  hold();
  EXPECT_TRUE(events_.empty());
}

TEST_F(SilentAudio, IsLostWhenTheServerKillsItsStream) {
  hold();
  server_.pactl("unload-module module-always-sink");
  server_.pactl("unload-module module-null-sink");
  expect(StrategyEvent::Lost);
}

TEST_F(SilentAudio, ReleaseDuringTheAcquireIsSilent) {
  for (int i = 0; i < 4; ++i) {  // the server's queue of unaccepted connections holds five; beyond it refuses rightly
    acquire();
    release();
  }
  hold();
  release();
  EXPECT_TRUE(server_.await_stream(false, false));
}

TEST_F(SilentAudio, IsReleasedWithThePlatform) {
  hold();
  platform_.reset();
  EXPECT_TRUE(server_.await_stream(false, false));
}

TEST(SilentAudioWithoutAServer, IsRefused) {
  const ScratchDirectory nowhere;
  ::setenv("PULSE_SERVER", ("unix:" + nowhere.path() + "/none").c_str(), 1);
  Mailbox<StrategyEvent> events;
  const auto platform = make_default_platform();
  platform->start({.on_app_state = [](AppState, std::optional<std::chrono::milliseconds>) {},
                   .on_strategy = [&](Strategy, StrategyEvent event,
                                      std::optional<std::chrono::milliseconds>) { events.put(event); }});
  testing::internal::CaptureStderr();
  for (int i = 0; i < 3; ++i) {
    platform->acquire(Strategy::SilentAudio);
    EXPECT_EQ(events.take(), StrategyEvent::Refused);
    platform->release(Strategy::SilentAudio);
  }
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("no silent audio"), std::string::npos);
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  ::unsetenv("PULSE_SERVER");
}

}  // namespace
}  // namespace fermata
