// Continuous silent audio of the default platform, on a private sound server.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fermata/platform.hpp>
#include <memory>

#include "integration/platform/mailbox.hpp"
#include "integration/platform/message_bus.hpp"
#include "integration/platform/sound_server.hpp"

namespace fermata {

class SilentAudioTest : public testing::Test {
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

}  // namespace fermata
