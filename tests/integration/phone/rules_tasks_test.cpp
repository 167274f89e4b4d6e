// Budgets and services, on virtual time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "integration/phone/rules_bench.hpp"

namespace fermata::phone {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

TEST(PhoneRules, ABudgetEndsEarlierThanPromisedAndNotAlwaysByTheSame) {
  Policy policy = test_policy();
  policy.task.early = Millis(5000);
  std::set<Instant> ends;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Bench bench(policy, seed);
    bench.rules.background(bench.now);
    bench.rules.task_begin(1, "save", bench.now);
    bench.advance(milliseconds(19'999));
    EXPECT_THAT(bench.told, Contains("task granted save time_left_ms=30000"));
    EXPECT_THAT(bench.told, Not(Contains("task expiring save time_left_ms=5000")));
    ends.insert(*bench.rules.next_deadline() - bench.now);
    bench.advance(milliseconds(5001));
    EXPECT_THAT(bench.told, Contains("task expiring save time_left_ms=5000"));
  }
  EXPECT_GT(ends.size(), 10U);
}

TEST(PhoneRules, TheSameSeedGivesTheSameEnd) {
  Policy policy = test_policy();
  policy.task.early = Millis(5000);
  std::set<std::optional<Instant>> ends;
  for (int i = 0; i < 3; ++i) {
    Bench bench(policy, 7);
    bench.rules.background(bench.now);
    bench.rules.task_begin(1, "save", bench.now);
    ends.insert(bench.rules.next_deadline());
  }
  EXPECT_EQ(ends.size(), 1U);
}

Policy service_policy() {
  Policy policy = test_policy();
  policy.task = {};
  policy.services["dataSync"] = {Millis(60'000), Millis(0), Millis(5000), Millis(1000), Millis(600'000)};
  policy.services["connectedDevice"] = {std::nullopt, Millis(0), Millis(0), Millis(0), std::nullopt};
  return policy;
}

TEST(PhoneRules, AServiceIsGrantedByItsTypeOnly) {
  Bench bench(service_policy());
  bench.rules.task_begin(1, "connectedDevice:watch", bench.now);
  bench.rules.task_begin(1, "dataSync:up", bench.now);
  bench.rules.task_begin(1, "teleport:up", bench.now);
  bench.rules.task_begin(1, "up", bench.now);
  bench.take();
  EXPECT_THAT(bench.told,
              ElementsAre("task granted connectedDevice:watch", "task granted dataSync:up time_left_ms=60000",
                          "task refused teleport:up unknown-type", "task refused up unsupported"));
}

TEST(PhoneRules, AServiceWithoutAnEndKeepsAProgramRunningForEver) {
  Bench bench(service_policy());
  bench.rules.background(bench.now);
  bench.rules.task_begin(1, "connectedDevice:watch", bench.now);
  bench.advance(std::chrono::hours(100));
  EXPECT_EQ(bench.freezes, 0);
  EXPECT_TRUE(bench.kills.empty());
}

TEST(PhoneRules, ServicesOfOneTypeShareItsTimeAndTheForegroundGivesItBack) {
  Bench bench(service_policy());
  bench.rules.background(bench.now);
  for (const char* name : {"dataSync:a", "dataSync:b"}) {
    bench.rules.task_begin(1, name, bench.now);
    bench.advance(milliseconds(27'000));
    bench.rules.task_end(1, name, bench.now);
    bench.advance(milliseconds(1000));  // without a service its time stands still
  }
  bench.rules.task_begin(1, "dataSync:c", bench.now);
  bench.take();
  EXPECT_THAT(bench.told, Contains("task granted dataSync:b time_left_ms=33000"));
  EXPECT_THAT(bench.told, Contains("task granted dataSync:c time_left_ms=6000"));
  bench.advance(milliseconds(1000));
  EXPECT_EQ(bench.told.back(), "task expiring dataSync:c time_left_ms=5000");
  bench.rules.task_end(1, "dataSync:c", bench.now);
  bench.rules.task_begin(1, "dataSync:d", bench.now);
  bench.take();
  EXPECT_EQ(bench.told.back(), "task refused dataSync:d budget-spent");
  bench.rules.foreground(bench.now);
  bench.rules.task_begin(1, "dataSync:d", bench.now);
  bench.take();
  EXPECT_EQ(bench.told.back(), "task granted dataSync:d time_left_ms=60000");
}

TEST(PhoneRules, AServiceGetsItsTimeBackAfterItsDay) {
  Bench bench(service_policy());
  bench.rules.background(bench.now);
  bench.rules.playing(bench.now);  // so that the program lives as long
  bench.rules.task_begin(1, "dataSync:a", bench.now);
  bench.advance(milliseconds(56'000));
  bench.rules.task_end(1, "dataSync:a", bench.now);
  bench.rules.task_begin(1, "dataSync:b", bench.now);
  bench.take();
  EXPECT_EQ(bench.told.back(), "task refused dataSync:b budget-spent");
  bench.advance(milliseconds(544'000));
  bench.rules.task_begin(1, "dataSync:b", bench.now);
  bench.take();
  EXPECT_EQ(bench.told.back(), "task granted dataSync:b time_left_ms=60000");
}

TEST(PhoneRules, AServiceThatOutlivesItsTimeEndsTheProgram) {
  Bench bench(service_policy());
  bench.rules.background(bench.now);
  bench.rules.task_begin(1, "dataSync:a", bench.now);
  bench.advance(milliseconds(60'999));
  EXPECT_TRUE(bench.kills.empty());
  bench.advance(milliseconds(1));
  EXPECT_EQ(bench.kills.size(), 1U);
}

TEST(PhoneRulesTasks, AreRefusedWithTooLongANameAndBeyond64OfOneClient) {
  Bench bench;
  const std::string longest(kLongestName, 'x');
  bench.rules.task_begin(1, longest + "x", bench.now);
  bench.advance(milliseconds(0));
  EXPECT_EQ(bench.told.back(), "task refused " + longest + "x name-too-long");
  for (std::size_t i = 0; i < kMostTasks - 1; ++i) bench.rules.task_begin(1, "task" + std::to_string(i), bench.now);
  bench.rules.task_begin(1, longest, bench.now);
  bench.advance(milliseconds(0));
  EXPECT_EQ(bench.told.back().substr(0, 13), "task granted ");
  bench.rules.task_begin(1, "more", bench.now);
  bench.rules.task_begin(2, "more", bench.now);
  bench.rules.task_begin(1, longest, bench.now);
  bench.advance(milliseconds(0));
  const auto said = bench.told.size();
  EXPECT_EQ(bench.told[said - 3], "task refused more too-many-tasks");
  EXPECT_EQ(bench.told[said - 2].substr(0, 17), "task granted more");
  EXPECT_EQ(bench.told[said - 1].substr(0, 14), "task granted x") << "it is one of them";
}

}  // namespace
}  // namespace fermata::phone
