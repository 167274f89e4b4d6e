// What the phone takes from a program: its time, its sockets, its life. And what it leaves behind: nothing.
#include <dirent.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "integration/phone/harness.hpp"
#include "integration/phone/listener.hpp"
#include "phone/loop.hpp"
#include "phone/proc.hpp"

namespace fermata::phone {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<pid_t> processes_with(const std::string& argument) {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0 && read_text(entry.path() / "cmdline").find(argument) != std::string::npos) found.push_back(pid);
  }
  return found;
}

std::vector<std::string> groups_of(pid_t phone) {
  std::vector<std::string> found;
  const std::string name = "fermata-phone-" + std::to_string(phone) + "-";
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator it("/sys/fs/cgroup", error), end; it != end; it.increment(error))
    if (it->path().filename().string().starts_with(name)) found.push_back(it->path());
  return found;
}

void expect_nothing_left(const PhoneRun& run) {
  EXPECT_THAT(groups_of(run.pid()), IsEmpty());
  EXPECT_TRUE(std::filesystem::is_empty(run.folder() + "/tmp")) << run.report();
  EXPECT_FALSE(std::filesystem::exists(run.folder() + "/home")) << "libpulse wrote into the user's home";
  EXPECT_THAT(processes_with(run.folder()), IsEmpty()) << run.report();
  const auto start = run.event("start");
  ASSERT_TRUE(start) << run.report();
  for (const char* key : {"pid", "pulse_pid"})
    EXPECT_FALSE(process_state(static_cast<pid_t>(number_in(start->json, key)))) << key << "\n" << run.report();
}

TEST(Phone, ATaskKeepsAProgramRunningUntilItEndsItsTask) {
  PhoneRun run(quick_ios(),
               "expect running within 1s\nwait 700ms\nbackground\nwait 600ms\nexpect running within 0s\nexpect frozen "
               "within 3s\nforeground\nquit\n",
               {kApp, "on", "state background", "do", "task begin save", "on", "task expiring", "do", "task end save",
                "hello", "run"});
  ASSERT_EQ(run.wait(), 0) << run.report();
  const auto begin = run.event("task_begin");
  const auto expiring = run.event("task_expiring");
  const auto end = run.event("task_end");
  const auto frozen = run.event("frozen");
  ASSERT_TRUE(begin && expiring && end && frozen) << run.report();
  EXPECT_GE(expiring->t_ns - begin->t_ns, 700'000'000) << run.report();
  EXPECT_GE(frozen->t_ns - end->t_ns, 299'000'000) << "the grace begins when the task ends\n" << run.report();
  EXPECT_THAT(run.said(),
              HasSubstr("state foreground\nstate background time_left_ms=300\ntask granted save time_left_ms="));
  EXPECT_EQ(run.count("killed"), 0) << run.report();
}

TEST(Phone, AProgramThatDoesNotEndItsTaskIsKilled) {
  PhoneRun run(quick_ios(), "wait 700ms\nbackground\nexpect ended within 5s\n",
               {kApp, "on", "state background", "do", "task begin save", "hello", "run"});
  EXPECT_EQ(run.wait(), 128 + SIGKILL) << run.report();
  const auto killed = run.event("killed");
  ASSERT_TRUE(killed) << run.report();
  EXPECT_THAT(text_in(killed->json, "reason"), HasSubstr("0x8badf00d"));
  EXPECT_GE(killed->t_ns - run.event("background")->t_ns, 1'390'000'000) << run.report();  // told a little late
  expect_nothing_left(run);
}

TEST(Phone, ReadyIsFrozenAtOnce) {
  Policy policy = quick_ios();
  policy.grace = Millis(60'000);
  PhoneRun run(
      policy,
      "wait 700ms\nbackground\nexpect frozen within 5s\nforeground\nexpect running within 0s\nwait 200ms\nquit\n",
      {kApp, "on", "state background", "do", "ready", "hello", "run"});
  EXPECT_EQ(run.wait(), 0) << run.report();
  EXPECT_EQ(run.count("ready"), 1) << run.report();
  EXPECT_EQ(run.count("grace_over"), 0) << run.report();
  EXPECT_THAT(run.said(), HasSubstr("state background time_left_ms=60000\nstate foreground"));
}

TEST(Phone, ReadyForAnOlderBackgroundFreezesNothing) {
  Policy policy = quick_ios();
  policy.grace = Millis(60'000);
  PhoneRun run(policy, "wait 700ms\nbackground\nexpect frozen within 5s\nforeground\nbackground\nwait 1min\n",
               {kApp, "on", "state background", "do", "ready 2", "hello", "run"});
  ASSERT_TRUE(run.event("ready_late")) << run.report();
  EXPECT_EQ(run.count("background"), 2) << run.report();
  EXPECT_EQ(run.count("ready"), 1) << run.report();
  EXPECT_EQ(run.count("frozen"), 1) << run.report();
}

TEST(Phone, TheSocketsOfAFrozenProgramAreReclaimed) {
  const Listener listener;
  PhoneRun run(quick_ios(), "wait 700ms\nbackground\nexpect frozen within 5s\nwait 500ms\nforeground\nquit\n",
               {kApp, "connect", std::to_string(listener.port), "run"});
  const Fd accepted(accept4(listener.fd.value(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_TRUE(accepted.is_open());
  const auto start = run.event("start");
  const auto reclaimed = run.event("reclaimed");
  ASSERT_TRUE(start && reclaimed) << run.report();
  const std::string means = text_in(start->json, "reclaim");
  if (means.starts_with("none")) {
    std::cout << "sockets are not reclaimed here: " << means << "\n";
    EXPECT_EQ(number_in(reclaimed->json, "count"), 0) << run.report();
  } else {
    EXPECT_EQ(number_in(reclaimed->json, "count"), 1) << run.report();
    pollfd reset{accepted.value(), POLLIN, 0};
    ASSERT_EQ(poll(&reset, 1, 5000), 1) << run.report();
    char byte = 0;
    EXPECT_EQ(read(accepted.value(), &byte, 1), -1);
    EXPECT_EQ(errno, ECONNRESET);
  }
  EXPECT_EQ(run.wait(), 0) << run.report();
  pollfd listening{listener.fd.value(), POLLIN, 0};
  EXPECT_EQ(poll(&listening, 1, 0), 0) << "somebody else's socket was touched";
}

TEST(Phone, APolicyThatKeepsSocketsLeavesThemAlone) {
  const Listener listener;
  Policy policy = quick_ios();
  policy.sockets = SocketRule::Keep;
  PhoneRun run(policy, "wait 700ms\nbackground\nexpect frozen within 5s\nwait 200ms\nforeground\nwait 200ms\n",
               {kApp, "connect", std::to_string(listener.port), "run"});
  const Fd accepted(accept4(listener.fd.value(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_TRUE(run.event("thawed")) << run.report();
  pollfd quiet{accepted.value(), POLLIN, 0};
  EXPECT_EQ(poll(&quiet, 1, 0), 0);
  EXPECT_EQ(run.count("reclaimed"), 0) << run.report();
}

TEST(Phone, AProgramSuspendedWithALockIsKilledAsIosDoes) {
  PhoneRun run(quick_ios(), "wait 700ms\nbackground\nexpect ended within 5s\n",
               {kApp, "lock", "/tmp/phone-lock-" + std::to_string(getpid()), "run"});
  EXPECT_EQ(run.wait(), 128 + SIGKILL) << run.report();
  const auto violation = run.event("lock_violation");
  ASSERT_TRUE(violation) << run.report();
  EXPECT_THAT(violation->json, HasSubstr("\"kind\":\"FLOCK\",\"mode\":\"WRITE\""));
  EXPECT_THAT(text_in(violation->json, "path"), HasSubstr("phone-lock"));
  EXPECT_THAT(text_in(run.event("killed")->json, "reason"), HasSubstr("0xdead10cc"));
  expect_nothing_left(run);
  std::remove(("/tmp/phone-lock-" + std::to_string(getpid())).c_str());
}

TEST(Phone, APolicyMayOnlyReportLocksSuchAsThoseOfAnIdleDatabase) {
  Policy policy = quick_ios();
  policy.locks = LockRule::Report;
  const std::string path = testing::TempDir() + "phone-database-" + std::to_string(getpid());
  PhoneRun run(policy, "wait 700ms\nbackground\nexpect frozen within 5s\nforeground\nquit\n",
               {kApp, "database", path, "run"});
  EXPECT_EQ(run.wait(), 0) << run.report();
  const auto violation = run.event("lock_violation");
  ASSERT_TRUE(violation) << run.report();
  EXPECT_EQ(number_in(violation->json, "count"), 2) << run.report();
  EXPECT_THAT(violation->json, HasSubstr("\"kind\":\"POSIX\",\"mode\":\"READ\""));
  EXPECT_EQ(run.count("killed"), 0) << run.report();
  for (const char* suffix : {"", "-wal", "-shm"}) std::remove((path + suffix).c_str());
}

TEST(Phone, AnExpectationThatDoesNotComeTrueFailsTheRunWithItsLine) {
  PhoneRun run(quick_ios(), "wait 100ms\n\nexpect frozen within 200ms\nwait 1min\n", {kApp, "run"});
  EXPECT_EQ(run.wait(), 1) << run.report();
  EXPECT_THAT(run.said(), HasSubstr("script line 3: \"expect frozen within 200ms\" did not come true"));
  expect_nothing_left(run);
}

TEST(Phone, AnExpectationLeftWhenTheProgramHasEndedFailsTheRun) {
  PhoneRun run(quick_ios(), "wait 1min\nexpect frozen within 200ms\n", {kApp, "exit", "0"});
  EXPECT_EQ(run.wait(), 1) << run.report();
  EXPECT_THAT(run.said(), HasSubstr("but the program had ended"));
}

TEST(Phone, TheExitCodeOfTheProgramIsThatOfTheRun) {
  PhoneRun run(quick_ios(), "", {kApp, "exit", "7"});
  EXPECT_EQ(run.wait(), 7) << run.report();
  EXPECT_EQ(number_in(run.event("exit")->json, "code"), 7);
  expect_nothing_left(run);
}

TEST(Phone, AProgramThatCannotBeRunIsAnError) {
  PhoneRun run(quick_ios(), "", {"/nowhere/app"});
  EXPECT_EQ(run.wait(), 99) << run.report();
  EXPECT_THAT(run.said(), HasSubstr("cannot run /nowhere/app: No such file or directory"));
  EXPECT_TRUE(std::filesystem::is_empty(run.folder() + "/tmp"));
}

// The second one ignores SIGTERM and has children of its own.
TEST(Phone, NothingIsLeftBehindWhenThePhoneIsAskedToEndWhileTheProgramIsFrozen) {
  PhoneRun run(
      quick_ios(), "wait 100ms\nbackground\n",
      {"sh", "-c", "trap '' TERM; sleep 1000 & sleep 1000 & while :; do sleep 1000; done", "in-" + std::string(kApp)});
  const auto frozen = run.event("frozen");
  ASSERT_TRUE(frozen) << run.report();
  EXPECT_EQ(number_in(frozen->json, "processes"), 4) << run.report();
  run.signal(SIGTERM);
  EXPECT_EQ(run.wait(), 128 + SIGTERM) << run.report();
  expect_nothing_left(run);
  EXPECT_THAT(processes_with("in-" + std::string(kApp)), IsEmpty());
}

TEST(Phone, NothingIsLeftBehindWhenThePhoneItselfIsKilled) {
  const std::string mark = "mark-" + std::to_string(getpid());
  PhoneRun run(quick_ios(), "wait 100ms\nbackground\n",
               {"sh", "-c", "sleep 1000 & while :; do sleep 1000; done", mark});
  ASSERT_TRUE(run.event("frozen")) << run.report();
  run.signal(SIGKILL);
  EXPECT_EQ(run.wait(), 1000 + SIGKILL);
  EXPECT_TRUE(run.tidied()) << run.report();
  EXPECT_THAT(groups_of(run.pid()), IsEmpty());
  EXPECT_THAT(processes_with(mark), IsEmpty());
}

TEST(Phone, AProgramThatCannotBeSuspendedFailsTheRun) {
  PhoneRun run(quick_ios(), "wait 1s\nbackground\nexpect frozen within 5s\nwait 1min\n", {kApp, "run"});
  const auto start = run.event("start");
  ASSERT_TRUE(start) << run.report();
  const std::string means = text_in(start->json, "suspend");
  if (means != "cgroup v2 freezer") GTEST_SKIP() << "only a cgroup can be taken away from the phone; it uses " << means;
  for (const std::filesystem::path group : groups_of(run.pid())) {
    ASSERT_TRUE(write_text(group.parent_path() / "cgroup.procs", std::to_string(number_in(start->json, "pid"))));
    ASSERT_EQ(rmdir(group.c_str()), 0) << std::strerror(errno);
  }
  EXPECT_EQ(run.wait(), 1) << run.report();
  EXPECT_THAT(run.said(), HasSubstr("phone: cannot suspend: ")) << run.report();
  EXPECT_EQ(run.count("freeze_failed"), 1) << run.report();
  EXPECT_EQ(run.count("frozen") + run.count("thawed"), 0) << run.report();
}

// An audio server that never answers, and says in the run's events that it was asked to start.
class SlowAudio {
 public:
  SlowAudio() : folder_(testing::TempDir() + "phone-slow-audio-" + std::to_string(getpid())), path_(getenv("PATH")) {
    std::filesystem::create_directory(folder_);
    std::ofstream(folder_ + "/pulseaudio")
        << "#!/bin/sh\necho '{\"t_ns\":1,\"event\":\"starting\"}' >> \"$HOME/../../events\"\nexec sleep 1000\n";
    std::filesystem::permissions(folder_ + "/pulseaudio", std::filesystem::perms::owner_all);
    setenv("PATH", (folder_ + ":" + path_).c_str(), 1);
  }
  SlowAudio(const SlowAudio&) = delete;
  SlowAudio& operator=(const SlowAudio&) = delete;
  ~SlowAudio() {
    setenv("PATH", path_.c_str(), 1);
    std::filesystem::remove_all(folder_);
  }

 private:
  std::string folder_;
  std::string path_;
};

TEST(Phone, NothingIsLeftBehindAndNothingSaidWhenASignalComesBeforeTheProgramRuns) {
  const SlowAudio audio;
  for (const auto& [number, code] : {std::pair(SIGINT, 128 + SIGINT), std::pair(SIGKILL, 1000 + SIGKILL)}) {
    PhoneRun run(quick_ios(), "quit\n", {kApp, "run"});
    ASSERT_TRUE(run.event("starting")) << run.report();
    run.signal(number);
    EXPECT_EQ(run.wait(), code) << run.report();
    EXPECT_TRUE(run.tidied()) << run.report();
    EXPECT_EQ(run.said(), "");
    EXPECT_EQ(run.count("start"), 0) << run.report();
  }
}

TEST(Phone, AScriptOnStandardInputEndsWithQuit) {
  PhoneRun run(quick_ios(), "wait 100ms\nbackground\nexpect frozen within 2s\nforeground", {kApp, "run"},
               PhoneRun::Script::StandardInput);
  EXPECT_EQ(run.wait(), 0) << run.report();
  EXPECT_EQ(run.count("thawed"), 1) << run.report();
  expect_nothing_left(run);
}

TEST(Phone, AMistakeInAScriptOnStandardInputFailsTheRun) {
  PhoneRun run(quick_ios(), "wait 100ms\nbackgruond\n", {kApp, "run"}, PhoneRun::Script::StandardInput);
  EXPECT_EQ(run.wait(), 1) << run.report();
  EXPECT_THAT(run.said(), HasSubstr("script line 2: cannot read \"backgruond\""));
}

TEST(Phone, AnAudioServerThatDiesIsStartedAgain) {
  PhoneRun run(quick_ios(), "expect playing within 5s\nwait 1min\n", {kApp, "play", "music", "run"});
  ASSERT_TRUE(run.event("playing")) << run.report();
  kill(static_cast<pid_t>(number_in(run.event("start")->json, "pulse_pid")), SIGKILL);
  ASSERT_TRUE(run.event("not_playing")) << run.report();
  ASSERT_TRUE(run.event("audio_back")) << run.report();
  EXPECT_THAT(run.said(), HasSubstr("audio failed"));
  run.signal(SIGINT);
  EXPECT_EQ(run.wait(), 128 + SIGINT) << run.report();
  expect_nothing_left(run);
}

}  // namespace
}  // namespace fermata::phone
