// The script language and the policies, as people write them.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "phone/events.hpp"
#include "phone/loop.hpp"
#include "phone/phone.hpp"
#include "phone/policy.hpp"
#include "phone/script.hpp"

namespace fermata::phone {
namespace {

using testing::HasSubstr;

std::string policy_problem(const std::string& toml) {
  const std::string path = testing::TempDir() + "phone-policy-" + std::to_string(getpid()) + ".toml";
  std::ofstream(path) << toml;
  const auto policy = load_policy(path);
  std::remove(path.c_str());
  return policy ? "" : policy.error().message;
}

TEST(PhoneScript, ReadsEveryCommand) {
  EXPECT_EQ(parse_script_line("wait 3s", 1).value()->duration, Millis(3000));
  EXPECT_EQ(parse_script_line("  wait 500ms  # a pause", 1).value()->duration, Millis(500));
  EXPECT_EQ(parse_script_line("call 1.5s", 1).value()->duration, Millis(1500));
  EXPECT_EQ(parse_script_line("background", 1).value()->command, Command::Background);
  EXPECT_EQ(parse_script_line("foreground", 1).value()->command, Command::Foreground);
  EXPECT_EQ(parse_script_line("wait-call", 1).value()->command, Command::WaitCall);
  EXPECT_EQ(parse_script_line("quit", 1).value()->command, Command::Quit);
  EXPECT_EQ(parse_script_line("note the bus  arrives", 1).value()->text, "the bus  arrives");
  const auto expect = parse_script_line("expect frozen within 2min", 9).value();
  EXPECT_EQ(expect->expected, Expected::Frozen);
  EXPECT_EQ(expect->duration, Millis(120'000));
  EXPECT_EQ(expect->line, 9);
}

TEST(PhoneScript, ReadsWhatHappensToThePhone) {
  for (const auto& [line, command] :
       std::initializer_list<std::pair<const char*, Command>>{{"inactive", Command::Inactive},
                                                              {"lock", Command::Lock},
                                                              {"unlock", Command::Unlock},
                                                              {"alarm 2s", Command::Alarm},
                                                              {"media-services reset", Command::MediaServicesReset},
                                                              {"airplane 10s", Command::Airplane},
                                                              {"kill", Command::Kill},
                                                              {"launch", Command::Launch}})
    EXPECT_EQ(parse_script_line(line, 1).value()->command, command) << line;
  EXPECT_EQ(parse_script_line("route lost", 1).value()->name, "lost");
  const auto power = parse_script_line("low-power on", 1).value();
  EXPECT_EQ(power->name + " " + power->value, "low_power on");
  EXPECT_EQ(parse_script_line("metered off", 1).value()->value, "off");
  EXPECT_EQ(parse_script_line("battery 20", 1).value()->value, "20");
  EXPECT_EQ(parse_script_line("battery mains", 1).value()->value, "mains");
  EXPECT_EQ(parse_script_line("clock +1h", 1).value()->duration, Millis(3'600'000));
  EXPECT_EQ(parse_script_line("clock -90s", 1).value()->duration, Millis(-90'000));
  const auto delivered = parse_script_line("expect delivered note-7 within 5s", 1).value();
  EXPECT_EQ(delivered->expected, Expected::Delivered);
  EXPECT_EQ(delivered->name, "note-7");
  EXPECT_EQ(parse_script_line("expect no-locks", 1).value()->expected, Expected::NoLocks);
}

std::string unrolled(std::initializer_list<const char*> lines) {
  ScriptReader reader;
  std::string text;
  for (const char* line : lines) {
    const auto ready = reader.read(line);
    if (!ready) return ready.error().message;
    for (const Step& step : *ready) text += step.text + ";";
  }
  const Status finished = reader.finish();
  return finished ? text : finished.error().message;
}

TEST(PhoneScript, RepeatsABlockAlsoInsideAnother) {
  EXPECT_EQ(unrolled({"note a", "repeat 2", "background", "repeat 3", "wait 1s", "end", "end", "quit"}),
            "a;background;wait 1s;wait 1s;wait 1s;background;wait 1s;wait 1s;wait 1s;quit;");
  EXPECT_THAT(unrolled({"", "repeat 2", "wait 1s"}), HasSubstr("script line 2: this repeat is never closed"));
  EXPECT_THAT(unrolled({"wait 1s", "end"}), HasSubstr("script line 2: this end closes no repeat"));
  EXPECT_THAT(unrolled({"repeat 10000", "repeat 10000", "wait 1s", "end", "end"}), HasSubstr("more than 100000 steps"));
}

TEST(PhoneScript, SkipsAByteOrderMark) {
  EXPECT_EQ(unrolled({"\xEF\xBB\xBFquit", "quit"}), "quit;quit;");
  EXPECT_THAT(unrolled({"quit", "\xEF\xBB\xBFquit"}), HasSubstr("script line 2: cannot read"));
}

TEST(PhoneScript, IgnoresEmptyLinesAndComments) {
  EXPECT_FALSE(parse_script_line("", 1).value().has_value());
  EXPECT_FALSE(parse_script_line("   # nothing", 1).value().has_value());
}

TEST(PhoneScript, NamesTheLineOfAMistakeAndWhatWouldBeRight) {
  for (const char* wrong : {"wait",
                            "wait 3",
                            "wait -1s",
                            "wait nans",
                            "background now",
                            "expect asleep within 3s",
                            "expect frozen in 3s",
                            "sleep 3s",
                            "call 1e30s",
                            "route",
                            "route away",
                            "low-power maybe",
                            "battery 101",
                            "battery",
                            "clock 1h",
                            "clock +soon",
                            "airplane",
                            "media-services",
                            "repeat 0",
                            "repeat x",
                            "expect delivered within 3s",
                            "expect delivered x",
                            "kill now"}) {
    const auto step = parse_script_line(wrong, 17);
    ASSERT_FALSE(step) << wrong;
    EXPECT_EQ(step.error().code, ErrorCode::Syntax);
    EXPECT_THAT(step.error().message, HasSubstr("script line 17:"));
  }
}

TEST(PhonePolicy, TheBuiltInPoliciesLoad) {
  const auto ios = load_policy("ios");
  ASSERT_TRUE(ios) << ios.error().message;
  EXPECT_EQ(ios->grace, Millis(5000));
  EXPECT_EQ(ios->task.duration, Millis(30'000));
  EXPECT_EQ(ios->task.notice, Millis(5000));
  EXPECT_EQ(ios->locks, LockRule::Kill);
  EXPECT_EQ(ios->sockets, SocketRule::Reclaim);
  EXPECT_EQ(ios->scaled(0.2).grace, Millis(1000));
  EXPECT_EQ(ios->task.early, Millis(5000));
  EXPECT_EQ(ios->cpu.percent, 15);
  const auto android = load_policy("android14");
  ASSERT_TRUE(android) << android.error().message;
  EXPECT_EQ(android->services.at("dataSync").duration, Millis(21'600'000));
  EXPECT_FALSE(android->services.at("connectedDevice").duration.has_value());
  const auto droidian = load_policy("droidian");
  ASSERT_TRUE(droidian) << droidian.error().message;
  EXPECT_EQ(droidian->player, PlayerRule::Exempts);
  EXPECT_EQ(droidian->maintenance.length.back(), Millis(80'000));
}

TEST(PhonePolicy, TheTimeScaleIsThatOfEveryDurationAndOfNothingElse) {
  const Policy ios = load_policy("ios")->scaled(0.1);
  EXPECT_EQ(ios.grace, Millis(500));
  EXPECT_EQ(ios.task.duration, Millis(3000));
  EXPECT_EQ(ios.task.early, Millis(500));
  EXPECT_EQ(ios.task.notice, Millis(500));
  EXPECT_EQ(ios.task.overrun, Millis(100));
  EXPECT_EQ(ios.cpu.over, Millis(6000));
  EXPECT_EQ(ios.cpu.percent, 15);
  const Policy android = load_policy("android14")->scaled(0.01);
  EXPECT_EQ(android.services.at("dataSync").duration, Millis(216'000));
  EXPECT_EQ(android.services.at("dataSync").per, Millis(864'000));
  EXPECT_FALSE(android.services.at("connectedDevice").duration.has_value());
  const Policy droidian = load_policy("droidian")->scaled(0.5);
  EXPECT_EQ(droidian.maintenance.every.front(), Millis(150'000));
  EXPECT_EQ(droidian.maintenance.length.front(), Millis(15'000));
}

TEST(PhonePolicy, AnUnknownOneIsAnErrorThatSaysWhereItLooked) {
  const auto policy = load_policy("symbian");
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().code, ErrorCode::NotFound);
  EXPECT_THAT(policy.error().message, HasSubstr("symbian.toml"));
  EXPECT_EQ(load_policy("/nowhere/x.toml").error().code, ErrorCode::NotFound);
}

TEST(PhonePolicy, AMistakeIsNeverTakenForADefault) {
  EXPECT_THAT(policy_problem("grace_ms = 5\ngrave_ms = 5\n"), HasSubstr("line 2: grave_ms is no key"));
  EXPECT_THAT(policy_problem("grace_ms = \"5s\"\n"), HasSubstr("grace_ms must be whole milliseconds"));
  EXPECT_THAT(policy_problem("grace_ms = -1\n"), HasSubstr("grace_ms must be"));
  EXPECT_THAT(policy_problem("locks = \"maim\"\n"), HasSubstr("locks must be one of kill, report, ignore"));
  EXPECT_THAT(policy_problem("task = 3\n"), HasSubstr("[task]"));
  EXPECT_THAT(policy_problem("[task]\nduration_ms = 5\nnotice_ms = 6\n"),
              HasSubstr("task.notice_ms and task.early_ms together are longer"));
  EXPECT_THAT(policy_problem("grace_ms = [\n"), HasSubstr("line "));
  EXPECT_THAT(policy_problem("[cpu]\npercent = 15\nover = 3\n"), HasSubstr("cpu.over is no key"));
  EXPECT_THAT(policy_problem("[cpu]\nover_ms = 3\n"), HasSubstr("[cpu] needs percent"));
  EXPECT_THAT(policy_problem("[service.x]\nduration_ms = \"long\"\n"), HasSubstr("service.x.duration_ms must be"));
  EXPECT_THAT(policy_problem("[service.x]\nnotice_ms = 0\n"), HasSubstr("service.x.duration_ms is missing"));
  EXPECT_THAT(policy_problem("[service.\"x:y\"]\nduration_ms = 5\n"), HasSubstr("\"x:y\" is no name of a service"));
  EXPECT_THAT(policy_problem("[service.\"x y\"]\nduration_ms = 5\n"), HasSubstr("\"x y\" is no name of a service"));
  EXPECT_THAT(policy_problem("[maintenance]\nevery_ms = [1, 2]\nfor_ms = [1]\n"), HasSubstr("same number of entries"));
  EXPECT_THAT(policy_problem("[maintenance]\nevery_ms = [0]\nfor_ms = [1]\n"), HasSubstr("every_ms must be a list"));
}

TEST(PhoneEvents, WhatStderrDoesNotTakeIsLostAndNothingElse) {
  const Fd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  const Fd before(dup(STDERR_FILENO));
  ASSERT_EQ(dup2(full.value(), STDERR_FILENO), STDERR_FILENO);
  EventLog log = EventLog::open(std::nullopt, Voice::Spoken).value();
  log.write(Event("note", "nobody hears it"));
  dup2(before.value(), STDERR_FILENO);
  EXPECT_EQ(log.recorded().size(), 1U);
  EXPECT_TRUE(log.written());
}

TEST(PhoneEvents, AnEventsFileThatCannotBeWrittenIsAnError) {
  EventLog log = EventLog::open("/dev/full", Voice::Quiet).value();
  log.write(Event("note"));
  const Status written = log.written();
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message, "cannot write the events file /dev/full: No space left on device");
}

TEST(PhoneOutputs, ARunIsRefusedWithOnePathForTwoOutputsOrASeedThatIsTooLarge) {
  const std::string path = testing::TempDir() + "phone-outputs-" + std::to_string(getpid());
  PhoneOptions options;
  options.program = {"true"};
  options.events_path = path;
  options.json_path = testing::TempDir() + "./phone-outputs-" + std::to_string(getpid());
  EXPECT_THAT(run_phone(options).error().message, HasSubstr("is named for two outputs"));
  EXPECT_NE(access(path.c_str(), F_OK), 0) << "nothing may be written";
  options.json_path.reset();
  options.seed = std::uint64_t{1} << 63;
  EXPECT_THAT(run_phone(options).error().message, HasSubstr("the seed must lie between 0 and 9223372036854775807"));
}

TEST(PhoneEvents, AreOneLineOfJsonWhateverTheTextHolds) {
  const std::string line = Event("note").with("text", "a\"b\\c\nd").with("n", 3).json(17);
  EXPECT_EQ(line, R"({"t_ns":17,"event":"note","text":"a\"b\\c\u000ad","n":3})");
}

}  // namespace
}  // namespace fermata::phone
