// The machine's sleep, told by a mock of logind.
#include <gtest/gtest.h>

#include <fermata/platform.hpp>

#include "integration/platform/eventually.hpp"
#include "integration/platform/mailbox.hpp"
#include "integration/platform/message_bus.hpp"
#include "integration/platform/played.hpp"
#include "integration/platform/scripted_phone.hpp"

namespace fermata {
namespace {

constexpr const char* kLogind = "org.freedesktop.login1";
constexpr const char* kLogindPath = "/org/freedesktop/login1";
constexpr const char* kInhibitors = "org.freedesktop.login1.Manager.ListInhibitors";
constexpr const char* kOurs = "[('sleep', 'Fermata', 'syncing documents', 'delay'";
constexpr const char* kNone = "[]";

class Sleep : public testing::Test {
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
    platform_->start({.on_app_state =
                          [this](AppState state, auto left) {
                            states_.put(std::string(name_of(state)) +
                                        (left ? " " + std::to_string(left->count()) : std::string()));
                          },
                      .on_strategy = [](Strategy, StrategyEvent, auto) {}});
  }
  void awake() {
    start_platform();
    EXPECT_EQ(next(), "foreground");
    EXPECT_TRUE(inhibitors_become(kOurs));
  }
  bool inhibitors_become(const std::string& what) const {
    return bus_.await_answer(kLogind, kLogindPath, kInhibitors, what);
  }
  void prepare_for_sleep(const char* begins) const {
    bus_.ask(kLogind, kLogindPath,
             std::string("org.freedesktop.DBus.Mock.EmitSignal org.freedesktop.login1.Manager PrepareForSleep b \"[<") +
                 begins + ">]\"");
  }
  std::string next() { return states_.take().value_or("nothing"); }

  const int threads_ = threads_of_this_process();
  MessageBus bus_{"DBUS_SYSTEM_BUS_ADDRESS"};
  std::unique_ptr<Child> logind_ = bus_.mock_template(kLogind, "logind");
  Mailbox<std::string> states_;
  std::unique_ptr<Platform> platform_;
};

TEST_F(Sleep, IsDelayedByAnInhibitorAsLongAsThePlatformRuns) {
  awake();
  platform_.reset();
  EXPECT_TRUE(inhibitors_become(kNone));
}

TEST_F(Sleep, SuspendsTheAppAndBeginsOnlyWhenWeAreReady) {
  bus_.ask(kLogind, kLogindPath,
           "org.freedesktop.DBus.Mock.AddProperty org.freedesktop.login1.Manager InhibitDelayMaxUSec "
           "\"<uint64 7000000>\"");
  awake();
  prepare_for_sleep("true");
  EXPECT_EQ(next(), "suspended 7000");
  EXPECT_TRUE(inhibitors_become(kOurs)) << "not ready yet";
  platform_->ready_to_suspend();
  EXPECT_TRUE(inhibitors_become(kNone));
}

TEST_F(Sleep, EndsWithTheInhibitorTakenAgainAndTheAppInTheForeground) {
  awake();
  for (int round = 0; round < 3; ++round) {
    prepare_for_sleep("true");
    EXPECT_EQ(next(), "suspended 5000");
    platform_->ready_to_suspend();
    EXPECT_TRUE(inhibitors_become(kNone));
    prepare_for_sleep("false");
    EXPECT_EQ(next(), "foreground");
    EXPECT_TRUE(inhibitors_become(kOurs));
  }
}

TEST_F(Sleep, IsDelayedOnAlthoughSyncWasPausedWhileAwake) {
  awake();
  platform_->ready_to_suspend();
  prepare_for_sleep("true");
  EXPECT_EQ(next(), "suspended 5000");
  EXPECT_TRUE(inhibitors_become(kOurs));
  prepare_for_sleep("false");
  EXPECT_EQ(next(), "foreground");
  platform_->ready_to_suspend();  // too late: for the sleep that is over
  prepare_for_sleep("true");
  EXPECT_EQ(next(), "suspended 5000");
  EXPECT_TRUE(inhibitors_become(kOurs));
}

TEST_F(Sleep, IsFollowedAlsoByALogindThatAppearsLater) {
  logind_.reset();
  ASSERT_TRUE(bus_.await_absence(kLogind));
  start_platform();
  EXPECT_EQ(next(), "foreground");
  logind_ = bus_.mock_template(kLogind, "logind");
  EXPECT_TRUE(inhibitors_become(kOurs));
}

TEST_F(Sleep, UnderAPhoneEndsInTheStateThatThePhoneHasToldMeanwhile) {
  ScriptedPhone phone;
  start_platform();
  phone.accept();
  EXPECT_EQ(phone.hear().substr(0, 6), "hello ");
  phone.say("state background time_left_ms=9000\n");
  EXPECT_EQ(next(), "background 9000");
  EXPECT_TRUE(inhibitors_become(kOurs));
  prepare_for_sleep("true");
  EXPECT_EQ(next(), "suspended 5000");
  phone.say("state inactive\ncondition metered on\n");
  platform_->ready_to_suspend();
  EXPECT_EQ(phone.hear().substr(0, 6), "ready ");
  prepare_for_sleep("false");
  EXPECT_EQ(next(), "inactive");
}

TEST_F(Sleep, WaitsUntilSyncIsPausedAndItsEndResumesIt) {
  PlayedParticipant participant;
  participant.obedient = false;
  BackgroundSync sync(make_default_platform());
  join(sync, participant);
  EXPECT_TRUE(inhibitors_become(kOurs));
  for (int round = 0; round < 3; ++round) {
    prepare_for_sleep("true");
    EXPECT_EQ(participant.calls.take(), "pause");
    EXPECT_TRUE(inhibitors_become(kOurs)) << "it flushes";
    participant.late_done.take().value()(0);
    EXPECT_TRUE(inhibitors_become(kNone));
    prepare_for_sleep("false");
    EXPECT_TRUE(participant.calls.await([](const std::string& call) { return call == "resume"; }));
    EXPECT_TRUE(inhibitors_become(kOurs));
  }
  leave(sync, participant);
}

TEST_F(Sleep, EndsWithTheBusThatWouldHaveToldOfItsEnd) {
  awake();
  prepare_for_sleep("true");
  EXPECT_EQ(next(), "suspended 5000");
  bus_.kill();
  EXPECT_EQ(next(), "foreground");
}

TEST_F(Sleep, ADeadBusIsNoReasonToDieOrToSayAnything) {
  awake();
  testing::internal::CaptureStderr();
  bus_.kill();
  EXPECT_TRUE(eventually([this] { return threads_of_this_process() == threads_; }))
      << "the bus's thread ends with the bus";
  EXPECT_TRUE(states_.empty()) << "the machine was awake";
  platform_->ready_to_suspend();
  platform_.reset();
  start_platform();
  EXPECT_EQ(next(), "foreground");
  EXPECT_EQ(threads_of_this_process(), threads_);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace fermata
