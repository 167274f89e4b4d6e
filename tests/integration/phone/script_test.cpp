// The script language and the policies, as people write them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "phone/events.hpp"
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

TEST(PhoneScript, IgnoresEmptyLinesAndComments) {
  EXPECT_FALSE(parse_script_line("", 1).value().has_value());
  EXPECT_FALSE(parse_script_line("   # nothing", 1).value().has_value());
}

TEST(PhoneScript, NamesTheLineOfAMistakeAndWhatWouldBeRight) {
  for (const char* wrong : {"wait", "wait 3", "wait -1s", "wait nans", "background now", "expect asleep within 3s",
                            "expect frozen in 3s", "sleep 3s", "call 1e30s"}) {
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
  EXPECT_TRUE(load_policy("android14"));
  EXPECT_TRUE(load_policy("droidian"));
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
}

TEST(PhoneEvents, AreOneLineOfJsonWhateverTheTextHolds) {
  const std::string line = Event("note").with("text", "a\"b\\c\nd").with("n", 3).json(17);
  EXPECT_EQ(line, R"({"t_ns":17,"event":"note","text":"a\"b\\c\u000ad","n":3})");
}

}  // namespace
}  // namespace fermata::phone
