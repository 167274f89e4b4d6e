// The media player that says "Playing", read by another program on a real session bus.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fermata/platform.hpp>

#include "integration/platform/eventually.hpp"
#include "integration/platform/mailbox.hpp"
#include "integration/platform/message_bus.hpp"
#include "integration/platform/scripted_phone.hpp"

namespace fermata {
namespace {

constexpr const char* kPath = "/org/mpris/MediaPlayer2";

std::string player_name() {
  return "org.mpris.MediaPlayer2.fermata.instance" + std::to_string(::getpid());
}

class MediaPlayer : public testing::Test {
 protected:
  void SetUp() override {
    ::unsetenv("FERMATA_PHONE_SOCKET");
    ::setenv("PULSE_SERVER", "unix:/nonexistent", 1);
  }
  void TearDown() override {
    platform_.reset();
    ::unsetenv("PULSE_SERVER");
  }
  void start_platform() {
    platform_ = make_default_platform();
    platform_->start({.on_app_state = [](AppState, auto) {},
                      .on_strategy =
                          [this](Strategy strategy, StrategyEvent event, auto) {
                            EXPECT_EQ(strategy, Strategy::MediaPlayer);
                            events_.put(event);
                          }});
  }
  void acquire() { platform_->acquire(Strategy::MediaPlayer); }
  void release() { platform_->release(Strategy::MediaPlayer); }
  void expect(StrategyEvent event) {
    const auto came = events_.take();
    ASSERT_TRUE(came) << "no event; expected " << name_of(event);
    EXPECT_EQ(name_of(*came), name_of(event));
  }
  void hold() {
    acquire();
    expect(StrategyEvent::Held);
  }
  static std::string property(const MessageBus& bus, const std::string& interface, const std::string& name) {
    return bus.ask(player_name(), kPath, "org.freedesktop.DBus.Properties.Get " + interface + " " + name);
  }
  static std::string status(const MessageBus& bus) {
    return property(bus, "org.mpris.MediaPlayer2.Player", "PlaybackStatus");
  }
  static void press(const MessageBus& bus, const std::string& button) {
    EXPECT_NE(bus.ask(player_name(), kPath, "org.mpris.MediaPlayer2.Player." + button), "");
  }

  Mailbox<StrategyEvent> events_;
  std::unique_ptr<Platform> platform_;
};

class MediaPlayerOnABus : public MediaPlayer {
 protected:
  void SetUp() override {
    MediaPlayer::SetUp();
    start_platform();
  }
  const ScratchDirectory folder_;
  MessageBus bus_{"DBUS_SESSION_BUS_ADDRESS"};
};

TEST_F(MediaPlayerOnABus, PlaysWhileHeldAndIsAwayAfterwards) {
  hold();
  EXPECT_EQ(status(bus_), "(<'Playing'>,)\n");
  release();
  EXPECT_TRUE(bus_.await_absence(player_name()));
  EXPECT_TRUE(events_.empty());
}

TEST_F(MediaPlayerOnABus, LeavesNoThreadAndNoDescriptorBehind) {
  const int threads = threads_of_this_process();
  hold();
  release();
  ASSERT_TRUE(eventually([=] { return threads_of_this_process() == threads; })) << "the portal was asked, once";
  const int descriptors = descriptors_of_this_process();
  hold();
  EXPECT_GT(threads_of_this_process(), threads);
  release();
  EXPECT_EQ(threads_of_this_process(), threads);
  EXPECT_EQ(descriptors_of_this_process(), descriptors);
}

TEST_F(MediaPlayerOnABus, HasWhatMprisDemandsOfAPlayer) {
  hold();
  for (const char* name :
       {"CanQuit", "CanRaise", "HasTrackList", "Identity", "SupportedUriSchemes", "SupportedMimeTypes"}) {
    EXPECT_NE(property(bus_, "org.mpris.MediaPlayer2", name), "") << name;
  }
  for (const char* name : {"Rate", "Metadata", "Volume", "Position", "MinimumRate", "MaximumRate", "CanGoNext",
                           "CanGoPrevious", "CanPlay", "CanPause", "CanSeek", "CanControl"}) {
    EXPECT_NE(property(bus_, "org.mpris.MediaPlayer2.Player", name), "") << name;
  }
  for (const char* button : {"Next", "Previous", "Seek 1", "SetPosition / 1", "OpenUri file:///x"}) {
    press(bus_, button);
  }
  EXPECT_EQ(status(bus_), "(<'Playing'>,)\n");
  EXPECT_TRUE(events_.empty());
}

TEST_F(MediaPlayerOnABus, TheUsersPauseInterruptsUntilTheyPressPlay) {
  hold();
  for (const auto& [off, on] : {std::pair{"Pause", "Play"}, {"Stop", "Play"}, {"PlayPause", "PlayPause"}}) {
    press(bus_, off);
    expect(StrategyEvent::Interrupted);
    EXPECT_EQ(status(bus_), "(<'Paused'>,)\n");
    press(bus_, on);
    expect(StrategyEvent::InterruptionEnded);
    EXPECT_EQ(status(bus_), "(<'Playing'>,)\n");
  }
  press(bus_, "Play");
  acquire();
  expect(StrategyEvent::Held);
  EXPECT_TRUE(events_.empty());
}

TEST_F(MediaPlayerOnABus, TheUsersPauseIsNotOverruledByTryingAgain) {
  hold();
  press(bus_, "Pause");
  expect(StrategyEvent::Interrupted);
  release();
  acquire();
  expect(StrategyEvent::Interrupted);
  EXPECT_EQ(status(bus_), "(<'Paused'>,)\n");
  press(bus_, "Play");
  expect(StrategyEvent::InterruptionEnded);
  release();
  hold();
}

TEST_F(MediaPlayerOnABus, TellsTheBusThatItPlaysAndPauses) {
  hold();
  const std::string log = folder_.path() + "/monitor";
  const Child monitor({"stdbuf", "-oL", "gdbus", "monitor", "--address", bus_.address(), "--dest", player_name()}, {},
                      log);
  const auto said = [&log](const std::string& what) {
    return eventually([&] { return output_of("cat " + log).find(what) != std::string::npos; });
  };
  ASSERT_TRUE(said("is owned by"));
  press(bus_, "Pause");
  EXPECT_TRUE(said("{'PlaybackStatus': <'Paused'>}"));
  press(bus_, "Play");
  EXPECT_TRUE(said("{'PlaybackStatus': <'Playing'>}"));
}

TEST_F(MediaPlayerOnABus, IsLostWithItsBusAndHeldOnTheNextOne) {
  for (int round = 0; round < 3; ++round) {
    hold();
    bus_.kill();
    expect(StrategyEvent::Lost);
    release();
    acquire();
    expect(StrategyEvent::Unsupported);
    bus_.start();
  }
  hold();
}

TEST_F(MediaPlayer, IsUnsupportedWithoutASessionBus) {
  start_platform();
  acquire();
  expect(StrategyEvent::Unsupported);
  release();
}

TEST_F(MediaPlayer, UnderAPhoneIsSupportedOnlyOnABusOfThePhonesOwn) {
  ScriptedPhone phone;
  {
    const MessageBus of_the_machine("DBUS_SESSION_BUS_ADDRESS");
    start_platform();
    acquire();
    expect(StrategyEvent::Unsupported);
  }
  const MessageBus of_the_phone("DBUS_SESSION_BUS_ADDRESS", phone.folder());
  hold();
  EXPECT_EQ(status(of_the_phone), "(<'Playing'>,)\n");
}

}  // namespace
}  // namespace fermata
