// A program under the phone: when it is suspended, when it is not, and what that does to it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "integration/phone/harness.hpp"

namespace fermata::phone {
namespace {

using testing::HasSubstr;

std::vector<std::int64_t> ticks_of(const std::string& path) {
  std::vector<std::int64_t> ticks;
  std::ifstream file(path);
  for (std::int64_t t = 0; file >> t;) ticks.push_back(t);
  return ticks;
}

int ticks_between(const std::vector<std::int64_t>& ticks, std::int64_t from, std::int64_t to) {
  int count = 0;
  for (const std::int64_t tick : ticks) count += tick > from && tick < to ? 1 : 0;
  return count;
}

TEST(Phone, AProgramThatKnowsNothingOfItIsFrozenAfterTheGraceAndRunsAgainInTheForeground) {
  const std::string ticks_path = testing::TempDir() + "phone-ticks-" + std::to_string(getpid());
  PhoneRun run(quick_ios(),
               "wait 700ms\nbackground\nexpect frozen within 2s\nwait 300ms\nforeground\nwait 300ms\nquit\n",
               {"sh", "-c", "while :; do date +%s%N >> " + ticks_path + "; sleep 0.02; done"});
  ASSERT_EQ(run.wait(), 0) << run.report();
  const auto frozen = run.event("frozen");
  const auto thawed = run.event("thawed");
  ASSERT_TRUE(frozen && thawed) << run.report();
  const auto background = run.event("background");
  EXPECT_GE(frozen->t_ns - background->t_ns, 300'000'000) << run.report();
  EXPECT_EQ(run.count("frozen"), 1) << run.report();
  std::remove(ticks_path.c_str());
}

TEST(Phone, AFrozenProgramDoesNotRunAtAll) {
  const std::string path = testing::TempDir() + "phone-ticks-" + std::to_string(getpid());
  PhoneRun run(quick_ios(),
               "wait 700ms\nbackground\nexpect frozen within 2s\nwait 300ms\nforeground\nwait 300ms\nquit\n",
               {kApp, "tick", path, "run"});
  ASSERT_EQ(run.wait(), 0) << run.report();
  const auto ticks = ticks_of(path);
  const auto background = run.event("background")->t_ns;
  const auto frozen = run.event("frozen")->t_ns;
  const auto thawed = run.event("thawed")->t_ns;
  EXPECT_GT(ticks_between(ticks, background, frozen), 5) << run.report();
  EXPECT_EQ(ticks_between(ticks, frozen, thawed), 0) << run.report();
  EXPECT_GT(ticks_between(ticks, thawed, thawed + 300'000'000), 5) << run.report();
  std::remove(path.c_str());
}

TEST(Phone, AProgramThatPlaysIsNotFrozen) {
  PhoneRun run(quick_ios(), "expect playing within 5s\nbackground\nwait 900ms\nexpect running within 0s\nquit\n",
               {kApp, "play", "music", "run"});
  EXPECT_EQ(run.wait(), 0) << run.report();
  EXPECT_EQ(run.count("frozen"), 0) << run.report();
}

TEST(Phone, ACallCorksAPlayerWhichIsFrozenWhenTheCallOutlastsTheGrace) {
  PhoneRun run(quick_ios(),
               "expect playing within 5s\nbackground\ncall 1s\nexpect frozen within 3s\nwait-call\nforeground\nwait "
               "200ms\nquit\n",
               {kApp, "play", "music", "run"});
  EXPECT_EQ(run.wait(), 0) << run.report();
  EXPECT_THAT(run.said(), HasSubstr("request-cork")) << run.report();
  EXPECT_EQ(run.count("call_begin"), 1) << run.report();
  EXPECT_EQ(run.count("call_end"), 1) << run.report();
}

TEST(Phone, APlayerThatObeysPlaysOnAfterACallShorterThanTheGrace) {
  Policy policy = quick_ios();
  policy.grace = Millis(3000);
  PhoneRun run(
      policy,
      "expect playing within 5s\nbackground\ncall 500ms\nwait-call\nexpect playing within 2s\nwait 200ms\nquit\n",
      {kApp, "play", "music", "run"});
  EXPECT_EQ(run.wait(), 0) << run.report();
  EXPECT_THAT(run.said(), HasSubstr("request-cork\nrequest-uncork")) << run.report();
  ASSERT_TRUE(run.event("not_playing") && run.event("call_end")) << run.report();
  EXPECT_LT(run.event("not_playing")->t_ns, run.event("call_end")->t_ns) << run.report();
  EXPECT_EQ(run.count("playing"), 2) << run.report();
  EXPECT_EQ(run.count("frozen"), 0) << run.report();
}

TEST(Phone, APlayerThatIgnoresTheCallIsSilencedAndDoesNotCountAsPlaying) {
  PhoneRun run(quick_ios(), "expect playing within 5s\nbackground\ncall 2s\nexpect frozen within 1500ms\nquit\n",
               {"pacat", "--property=media.role=music", "--raw", "/dev/zero"});
  EXPECT_EQ(run.wait(), 0) << run.report();
  EXPECT_EQ(run.count("frozen"), 1) << run.report();
}

TEST(Phone, ATaskBridgesACallLongerThanTheGrace) {
  PhoneRun run(
      quick_ios(),
      "expect playing within 5s\nbackground\ncall 700ms\nwait-call\nexpect playing within 2s\nwait 200ms\nquit\n",
      {kApp, "play", "music", "on", "state background", "do", "task begin bridge", "hello", "run"});
  EXPECT_EQ(run.wait(), 0) << run.report();
  EXPECT_EQ(run.count("frozen"), 0) << run.report();
  EXPECT_EQ(run.count("task_expiring"), 0) << run.report();
}

}  // namespace
}  // namespace fermata::phone
