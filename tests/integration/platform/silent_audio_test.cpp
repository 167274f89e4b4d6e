// Silent audio against a real sound server.
#include <gtest/gtest.h>

#include "integration/platform/silent_audio_fixture.hpp"

namespace fermata {
namespace {

using SilentAudio = SilentAudioTest;

TEST_F(SilentAudio, IsAMusicStreamOfOurProcessThatPlays) {
  hold();
  const auto seen = server_.our_stream();
  EXPECT_EQ(seen.role, "music");
  EXPECT_EQ(seen.format, "u8 1ch 8000Hz");
  EXPECT_FALSE(seen.muted);
}

TEST_F(SilentAudio, TwoAcquiresAreOneStream) {
  hold();
  acquire();
  expect(StrategyEvent::Held);
  release();
  EXPECT_TRUE(server_.await_stream(false, false));
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

}  // namespace
}  // namespace fermata
