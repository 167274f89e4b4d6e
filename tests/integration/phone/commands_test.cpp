// What a script does to the phone, seen by real programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <sstream>

#include "integration/phone/harness.hpp"
#include "integration/phone/listener.hpp"
#include "phone/loop.hpp"
#include "phone/reclaim.hpp"

namespace fermata::phone {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(PhoneCommands, TheProgramIsToldStatesAndConditionsAndWhoComesLateTheConditionsAsWell) {
  PhoneRun run(quick_ios(),
               "wait 500ms\ninactive\nlow-power on\nmetered on\nbattery 15\nlock\nexpect frozen within 2s\nunlock\n"
               "foreground\nwait 100ms\nkill\nlaunch\nwait 500ms\nquit\n",
               {kApp, "hello", "run"});
  ASSERT_EQ(run.wait(), 0) << run.report();
  EXPECT_THAT(run.said(), HasSubstr("state inactive\ncondition low_power on\ncondition metered on\ncondition battery "
                                    "15\nstate background time_left_ms=300\ncondition protected_data off\n"))
      << run.report();
  EXPECT_THAT(run.said(), HasSubstr("condition protected_data on\nstate foreground\n")) << run.report();
  EXPECT_THAT(run.said(), HasSubstr("running\nstate foreground\ncondition battery 15\ncondition low_power on\n"
                                    "condition metered on\ncondition protected_data on\n"))
      << run.report();
}

TEST(PhoneCommands, AProgramIsToldThatItWillBeEnded) {
  PhoneRun run(quick_ios(), "wait 500ms\nquit\n",
               {"env", "--ignore-signal=TERM", kApp, "on", "state terminating", "do", "-", "hello", "run"});
  EXPECT_EQ(run.wait(), 0) << run.report();
  EXPECT_THAT(run.said(), HasSubstr("state terminating time_left_ms=3000")) << run.report();
}

TEST(PhoneCommands, AnAlarmInterruptsAsACallDoes) {
  PhoneRun run(quick_ios(),
               "expect playing within 5s\nalarm 300ms\nwait-call\nexpect playing within 2s\nwait 100ms\nquit\n",
               {kApp, "play", "music", "run"});
  EXPECT_EQ(run.wait(), 0) << run.report();
  EXPECT_THAT(run.said(), HasSubstr("request-cork\nrequest-uncork")) << run.report();
  EXPECT_EQ(run.count("alarm_begin"), 1) << run.report();
  EXPECT_EQ(run.count("call_begin"), 0) << run.report();
}

TEST(PhoneCommands, ARouteIsLostAndComesBackAndMovesAndDies) {
  PhoneRun run(quick_ios(),
               "expect playing within 5s\nbackground\nroute lost\nexpect frozen within 2s\nforeground\nroute back\n"
               "expect playing within 1s\nroute moved\nwait 300ms\nexpect playing within 0s\nroute killed\n"
               "wait 500ms\nquit\n",
               {kApp, "play", "music", "run"});
  EXPECT_EQ(run.wait(), 0) << run.report();
  EXPECT_THAT(run.said(), HasSubstr("stream moved\nstream failed")) << run.report();
  EXPECT_EQ(run.count("not_playing"), 2) << "once without a route, once without a stream\n" << run.report();
}

TEST(PhoneCommands, MediaServicesCanBeResetAgainAndAgain) {
  PhoneRun run(quick_ios(), "repeat 3\nmedia-services reset\nwait 600ms\nend\nquit\n", {kApp, "run"});
  EXPECT_EQ(run.wait(), 0) << run.report();
  EXPECT_EQ(run.count("audio_back"), 3) << run.report();
}

TEST(PhoneCommands, AirplaneModeTakesConnectionsAndLeavesListeners) {
  if (const std::string means = reclaim_means(); means.starts_with("none"))
    GTEST_SKIP() << "sockets cannot be taken away here: " << means;
  const Listener listener;
  PhoneRun run(quick_ios(), "wait 1s\nairplane 400ms\nwait 500ms\nnote over\nwait 1min\n",
               {kApp, "listen", "connect", std::to_string(listener.port), "run"});
  const Fd accepted(accept4(listener.fd.value(), nullptr, nullptr, SOCK_CLOEXEC));
  pollfd reset{accepted.value(), POLLIN, 0};
  ASSERT_EQ(poll(&reset, 1, 10'000), 1) << run.report();
  char byte = 0;
  EXPECT_EQ(read(accepted.value(), &byte, 1), -1);
  EXPECT_EQ(errno, ECONNRESET);
  ASSERT_TRUE(run.event("note")) << run.report();
  EXPECT_EQ(run.count("airplane_end"), 1) << run.report();
  EXPECT_TRUE(connects_to(std::atoi(run.said().substr(run.said().find("port ") + 5).c_str()))) << run.report();
}

TEST(PhoneCommands, AKilledProgramCanBeLaunchedAgainAndAnExpectedDeliveryHappensAnew) {
  PhoneRun run(quick_ios(),
               "expect delivered tea within 5s\nkill\nexpect ended within 0s\nlaunch\nexpect delivered tea within 5s\n"
               "background\nexpect frozen within 2s\nkill\nwait 100ms\n",
               {kApp, "on", "state foreground", "do", "delivered tea", "hello", "run"});
  EXPECT_EQ(run.wait(), 0) << run.report();
  EXPECT_EQ(run.count("launch"), 1) << run.report();
  EXPECT_EQ(run.count("exit"), 2) << run.report();
  EXPECT_EQ(run.count("frozen"), 1) << "the rules began anew\n" << run.report();
}

TEST(PhoneCommands, ADeliveryThatWasNotSaidFailsTheRun) {
  PhoneRun run(quick_ios(), "expect delivered tea within 5s\nexpect delivered tea within 200ms\n",
               {kApp, "on", "state foreground", "do", "delivered tea", "hello", "run"});
  EXPECT_EQ(run.wait(), 1) << run.report();
  EXPECT_THAT(run.said(), HasSubstr("script line 2: \"expect delivered tea within 200ms\" did not come true"));
}

TEST(PhoneCommands, AProgramLaunchedOnALockedPhoneHasItsDataAgain) {
  PhoneRun run(quick_ios(), "wait 300ms\nlock\nkill\nlaunch\nwait 500ms\nquit\n", {kApp, "hello", "run"});
  EXPECT_EQ(run.wait(), 0) << run.report();
  EXPECT_THAT(run.said(), HasSubstr("running\nstate foreground\ncondition protected_data on\n")) << run.report();
}

TEST(PhoneCommands, WhatNeedsAProgramFailsWithoutOne) {
  PhoneRun run(quick_ios(), "wait 100ms\nkill\nexpect ended within 0s\nbackground\n", {kApp, "run"});
  EXPECT_EQ(run.wait(), 1) << run.report();
  EXPECT_THAT(run.said(), HasSubstr("\"background\": the program does not run; write launch before it"));
}

TEST(PhoneCommands, ALockFailsTheRunThatExpectsNone) {
  Policy policy = quick_ios();
  policy.locks = LockRule::Report;
  const std::string path = testing::TempDir() + "phone-lock-" + std::to_string(getpid());
  PhoneRun run(policy, "wait 300ms\nexpect no-locks\nbackground\nexpect frozen within 2s\nexpect no-locks\n",
               {kApp, "lock", path, "run"});
  EXPECT_EQ(run.wait(), 1) << run.report();
  EXPECT_THAT(run.said(), HasSubstr("script line 5: \"expect no-locks\" did not come true"));
  std::remove(path.c_str());
}

TEST(PhoneCommands, TheWallClockJumpsForTheProgramAloneAndLeavesNothingInSharedMemory) {
  PhoneRun run(quick_ios(), "wait 400ms\nclock +1h\nwait 400ms\nclock -2h\nwait 400ms\nkill\n",
               {"sh", "-c", "while :; do date +%s; sleep 0.1; done"});
  ASSERT_EQ(run.wait(), 0) << run.report();
  std::vector<std::int64_t> jumps;
  std::istringstream seconds(run.said());
  for (std::int64_t last = 0, now = 0; seconds >> now; last = now)
    if (last != 0 && std::abs(now - last) > 60) jumps.push_back(now - last);
  ASSERT_EQ(jumps.size(), 2U) << run.report();
  EXPECT_NEAR(static_cast<double>(jumps[0]), 3600, 3);
  EXPECT_NEAR(static_cast<double>(jumps[1]), -7200, 3);
  const std::string left = "faketime_shm_" + std::to_string(number_in(run.event("start")->json, "pid"));
  EXPECT_FALSE(std::filesystem::exists("/dev/shm/" + left));
}

TEST(PhoneCommands, AServiceOfAKnownTypeKeepsAnAndroidAppRunningUntilItsTimeIsOver) {
  Policy policy = load_policy("android14").value().scaled(0.03);  // grace 300 ms
  policy.services["dataSync"].duration = Millis(900);
  PhoneRun run(policy, "wait 500ms\nbackground\nwait 500ms\nexpect running within 0s\nexpect frozen within 2s\nquit\n",
               {kApp, "on", "state background", "do", "task begin teleport:x", "on", "task refused", "do",
                "task begin dataSync:up", "on", "task expiring", "do", "task end dataSync:up", "hello", "run"});
  EXPECT_EQ(run.wait(), 0) << run.report();
  EXPECT_THAT(run.said(), HasSubstr("task refused teleport:x unknown-type\ntask granted dataSync:up time_left_ms=900\n"
                                    "task expiring dataSync:up"))
      << run.report();
}

TEST(PhoneCommands, AMediaPlayerKeepsAProgramRunningUntilItPausesAndMaintenanceLetsItRunNowAndThen) {
  const Policy policy = load_policy("droidian").value().scaled(0.005);  // grace 300 ms, windows 150 ms every 1.5 s
  PhoneRun run(
      policy,
      "wait 500ms\nbackground\nwait 600ms\nexpect running within 0s\ninactive\nbackground\nexpect frozen "
      "within 2s\nexpect running within 2s\nexpect frozen within 1s\nquit\n",
      {kApp, "play", "music", "on", "state inactive", "do", "mpris Paused", "hello", "mpris", "Playing", "run"});
  EXPECT_EQ(run.wait(), 0) << run.report();
  EXPECT_EQ(run.count("player_playing"), 1) << run.report();
  EXPECT_EQ(run.count("player_not_playing"), 1) << run.report();
  EXPECT_EQ(run.count("maintenance_begin"), 1) << run.report();
}

TEST(PhoneCommands, WhoUsesTooMuchOfAProcessorInTheBackgroundIsKilled) {
  Policy policy = quick_ios();
  policy.grace = Millis(20'000);
  policy.cpu.over = Millis(2000);
  PhoneRun run(policy, "wait 1s\nbackground\nexpect ended within 5s\n",
               {kApp, "on", "state background", "do", "burn", "hello", "run"});
  EXPECT_EQ(run.wait(), 128 + SIGKILL) << run.report();
  EXPECT_THAT(text_in(run.event("killed")->json, "reason"), StartsWith("cpu: "));
}

TEST(PhoneCommands, TheRunIsWrittenAsADocumentAndAsAPicture) {
  PhoneRun run(quick_ios(), "wait 200ms\nbackground\nexpect frozen within 2s\nforeground\nnote a < b\nquit\n",
               {kApp, "run"});
  EXPECT_EQ(run.wait(), 0) << run.report();
  EXPECT_THAT(run.file("json"), HasSubstr(R"({"kind":"frozen","begin_ms":)"));
  EXPECT_THAT(run.file("json"), HasSubstr(R"("result":{"code":0,"passed":true,"failure":""})"));
  EXPECT_THAT(run.file("svg"), StartsWith("<svg "));
  EXPECT_THAT(run.file("svg"), HasSubstr("a &lt; b"));
}

TEST(PhoneCommands, TwoPhonesOnOneMachineDoNotTouchEachOther) {
  PhoneRun one(quick_ios(), "expect playing within 5s\nbackground\ncall 800ms\nwait-call\nwait 300ms\nquit\n",
               {kApp, "play", "music", "run"});
  PhoneRun two(quick_ios(), "expect playing within 5s\nbackground\nwait 1500ms\nexpect playing within 0s\nquit\n",
               {kApp, "play", "music", "run"});
  EXPECT_EQ(one.wait(), 0) << one.report();
  EXPECT_EQ(two.wait(), 0) << two.report();
  EXPECT_EQ(one.count("frozen"), 1) << one.report();
  EXPECT_EQ(two.count("frozen"), 0) << two.report();
  EXPECT_THAT(two.said(), Not(HasSubstr("request-cork"))) << two.report();
}

}  // namespace
}  // namespace fermata::phone
