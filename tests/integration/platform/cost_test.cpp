// What keeping alive costs, read from the system.
#include <cstdlib>
#include <thread>

#include "integration/platform/silent_audio_fixture.hpp"

namespace fermata {
namespace {

using Cost = SilentAudioTest;

TEST_F(Cost, CountsTheWakeupsOfThisProcessAndOfTheSoundServer) {
  hold();
  const auto before = platform_->cost();
  ASSERT_TRUE(before);
  ASSERT_TRUE(before->sound_server);
  for (int i = 0; i < 20; ++i) {  // the reader and the server sleep until the other has spoken
    EXPECT_TRUE(server_.our_stream().there);
  }
  const auto after = platform_->cost();
  ASSERT_TRUE(after && after->sound_server);
  EXPECT_GE(after->process.wakeups, before->process.wakeups + 20);
  EXPECT_GE(after->sound_server->wakeups, before->sound_server->wakeups + 20);
  EXPECT_GE(after->process.cpu, before->process.cpu);
  EXPECT_GE(after->sound_server->cpu, before->sound_server->cpu);
}

// What keeps alive runs on threads that are joined when it is released, before the next sample.
TEST_F(Cost, CountsTheWakeupsOfThreadsThatHaveEnded) {
  constexpr int kWakeups = 300;
  const auto before = platform_->cost();
  ASSERT_TRUE(before);
  std::thread([] {
    Mailbox<int> empty;
    for (int i = 0; i < kWakeups; ++i) {
      EXPECT_FALSE(empty.take(std::chrono::milliseconds(1)));
    }
  }).join();
  const auto after = platform_->cost();
  ASSERT_TRUE(after);
  EXPECT_GE(after->process.wakeups, before->process.wakeups + kWakeups);
}

TEST_F(Cost, KnowsCpuTime) {
  const auto before = platform_->cost();
  ASSERT_TRUE(before);
  const auto deadline = std::chrono::steady_clock::now() + Mailbox<int>::kPatience;
  auto after = platform_->cost();
  while (after->process.cpu < before->process.cpu + std::chrono::milliseconds(50) &&
         std::chrono::steady_clock::now() < deadline) {
    after = platform_->cost();
  }
  EXPECT_GE(after->process.cpu, before->process.cpu + std::chrono::milliseconds(50));
}

TEST_F(Cost, FollowsTheSoundServerThroughARestart) {
  EXPECT_TRUE(platform_->cost()->sound_server);
  server_.kill();
  EXPECT_FALSE(platform_->cost()->sound_server);
  server_.start();
  EXPECT_TRUE(platform_->cost()->sound_server);
}

TEST_F(Cost, OfASoundServerThatCannotBeNamedIsNothing) {
  ::setenv("PULSE_SERVER", "tcp:192.0.2.1", 1);
  ASSERT_TRUE(platform_->cost());
  EXPECT_FALSE(platform_->cost()->sound_server);
}

}  // namespace
}  // namespace fermata
