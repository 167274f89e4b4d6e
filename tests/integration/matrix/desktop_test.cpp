// Linux beyond the phone's sound: media players that are not frozen, and a machine that goes to sleep.
#include <signal.h>

#include <cstdlib>

#include "integration/matrix/matrix.hpp"
#include "integration/platform/message_bus.hpp"
#include "integration/platform/sound_server.hpp"

namespace fermata::test {
namespace {

class MatrixDesktop : public Matrix {};

TEST_F(MatrixDesktop, OnDroidianAMediaPlayerThatSaysPlayingIsNotFrozen) {
  fill_desk(50);
  // 60 s after the screen went off become 1.8 s.
  start_phone({.policy = "droidian", .time_scale = "0.03"});
  ASSERT_TRUE(synced()) << report();
  act("background");
  act("wait 4s");
  act("note the grace is over");
  ASSERT_TRUE(events_.await("note")) << report();
  write(20);
  ASSERT_TRUE(synced()) << report();
  EXPECT_EQ(events_.count("frozen"), 0u) << report();
  finish();
  EXPECT_TRUE(gaps().empty());
}

TEST_F(MatrixDesktop, OnDroidianWithoutBackgroundSyncTheAppIsFrozenAndCaughtUp) {
  fill_desk(50);
  start_phone({.policy = "droidian", .time_scale = "0.03", .background_sync = false});
  ASSERT_TRUE(synced()) << report();
  act("background");
  ASSERT_TRUE(events_.await("frozen")) << report();
  write(20);
  finish();
  EXPECT_FALSE(gaps().empty());
}

// No calls there, and no stream without end: pulses keep the app alive.
TEST_F(MatrixDesktop, OnPipeWireAnInstantOfSilenceNowAndThenIsEnough) {
  const SoundServer pipewire(SoundServer::Kind::PipeWire);
  fill_desk(50);
  start_phone({.time_scale = "0.4", .phone = {"--pulse-server", std::getenv("PULSE_SERVER")}});
  ASSERT_TRUE(synced()) << report();
  leave_and_hold();
  act("wait 6s");
  act("note three graces later");
  ASSERT_TRUE(events_.await("note")) << report();
  write(20);
  ASSERT_TRUE(synced()) << report();
  EXPECT_GE(events_.count("not_playing"), 3u) << "silence without end: " << report();
  EXPECT_EQ(events_.count("frozen"), 0u) << report();
  finish();
  EXPECT_TRUE(gaps().empty());
}

class MatrixSleep : public Matrix {
 protected:
  void prepare_for_sleep(const std::string& begins) const {
    bus_.ask(
        kLogind, kLogindPath,
        "org.freedesktop.DBus.Mock.EmitSignal org.freedesktop.login1.Manager PrepareForSleep b \"[<" + begins + ">]\"");
  }
  bool inhibitors_become(const std::string& what) const {
    return bus_.await_answer(kLogind, kLogindPath, "org.freedesktop.login1.Manager.ListInhibitors", what);
  }

  static constexpr const char* kLogind = "org.freedesktop.login1";
  static constexpr const char* kLogindPath = "/org/freedesktop/login1";
  MessageBus bus_{"DBUS_SYSTEM_BUS_ADDRESS"};
  std::unique_ptr<Child> logind_ = bus_.mock_template(kLogind, "logind");
};

TEST_F(MatrixSleep, AMachineThatGoesToSleepWaitsForTheGoodbyeAndFindsEverythingOnItsReturn) {
  fill_desk(50);
  start_app({});
  ASSERT_TRUE(synced()) << report();
  ASSERT_TRUE(inhibitors_become("'delay'"));
  for (int night = 0; night < 2; ++night) {
    prepare_for_sleep("true");
    ASSERT_TRUE(inhibitors_become("[]")) << "sleep may begin only when sync is paused";
    EXPECT_TRUE(desk_->status().links.empty());
    ASSERT_EQ(desk_->status().away.size(), 1u) << "it said goodbye";
    EXPECT_EQ(desk_->status().away[0].expected_return.has_value(), night > 0) << "it has slept before";
    write(20);
    prepare_for_sleep("false");
    ASSERT_TRUE(synced()) << report();
    ASSERT_TRUE(inhibitors_become("'delay'")) << "for the next night";
  }
  phone_->signal(SIGTERM);
  EXPECT_EQ(phone_->finish().code, 0);
  compare();
  ASSERT_EQ(gaps().size(), 2u);
  EXPECT_EQ(gaps()[0].changes_missed, 20u);
}

}  // namespace
}  // namespace fermata::test
