// Defects of the published recipe (a looping silent WAV and an observer of interruptions) that a sound adapter could
// have. Each test fails when its defect is put back; the comment says how.
#include "integration/platform/silent_audio_fixture.hpp"

namespace fermata {
namespace {

using RecipeDefect = SilentAudioTest;

// Put back: return from SilentAudio::follow_suspension() at once.
TEST_F(RecipeDefect, ALostRouteGoesUnseen) {
  hold();
  server_.pactl("suspend-sink null0 1");
  expect(StrategyEvent::Interrupted);
  server_.pactl("suspend-sink null0 0");
  expect(StrategyEvent::InterruptionEnded);
  release();
  hold();
}

// Put back: return from SilentAudio::fail() when it was held, as the recipe has no handler for it.
TEST_F(RecipeDefect, AResetOfTheSoundServerGoesUnseen) {
  for (int round = 0; round < 3; ++round) {
    hold();
    server_.kill();
    expect(StrategyEvent::Lost);
    release();
    acquire();
    expect(StrategyEvent::Refused);
    release();
    server_.start();
  }
  hold();
}

// Put back: do not call pa_stream_disconnect() and pa_context_disconnect() in SilentAudio::release().
TEST_F(RecipeDefect, StoppingLeavesTheSessionActive) {
  const int threads = threads_of_this_process();
  const int descriptors = descriptors_of_this_process();
  hold();
  release();
  EXPECT_TRUE(server_.await_stream(false, false));
  EXPECT_EQ(threads_of_this_process(), threads);
  EXPECT_EQ(descriptors_of_this_process(), descriptors);
  EXPECT_TRUE(events_.empty());
}

// Put back: in SilentAudio::acquire(), report Held and return while interrupted, too.
TEST_F(RecipeDefect, TheSessionIsNotActivatedAgainAfterAnInterruption) {
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

// Put back: in SilentAudio::on_stream_event(), uncork when the request to cork comes.
TEST_F(RecipeDefect, PlayingResumesWhenAnInterruptionBegins) {
  hold();
  const auto call = server_.call();
  expect(StrategyEvent::Interrupted);
  EXPECT_TRUE(server_.await_stream(true, true)) << server_.pactl("list sink-inputs");
  EXPECT_TRUE(events_.empty()) << "the call goes on";
}

// Put back: report nothing in SilentAudio::fail() before it was held.
TEST(RecipeDefectWithoutAServer, AnAbsentServerIsACrashOrSilence) {
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
