#include "lifecycle/cost_meter.hpp"

#include <gtest/gtest.h>

namespace fermata::lifecycle {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Instant at(int second) {
  return Instant(seconds(second));
}

CostReading used(std::uint64_t wakeups, milliseconds cpu) {
  return {.process = {wakeups, cpu}};
}

CostReading used(std::uint64_t wakeups, milliseconds cpu, std::uint64_t server_wakeups, milliseconds server_cpu) {
  return {.process = {wakeups, cpu}, .sound_server = CostSample{server_wakeups, server_cpu}};
}

TEST(CostMeter, CountsASpanForWhatWasHeldAtItsBeginning) {
  CostMeter meter;
  meter.sample(used(100, milliseconds(0)), std::nullopt, at(0));
  meter.sample(used(900, milliseconds(500)), Strategy::SilentAudio, at(10));
  meter.sample(used(902, milliseconds(510)), Strategy::TaskAssertion, at(20));
  meter.sample(used(912, milliseconds(520)), std::nullopt, at(21));
  meter.sample(used(9999, milliseconds(9999)), Strategy::SilentAudio, at(100));
  meter.sample(used(10001, milliseconds(10009)), Strategy::SilentAudio, at(110));
  const auto costs = meter.costs();
  ASSERT_EQ(costs.size(), 2u);
  EXPECT_EQ(costs[0].strategy, Strategy::SilentAudio);
  EXPECT_EQ(costs[0].held, seconds(20));
  EXPECT_DOUBLE_EQ(costs[0].wakeups_per_s, 0.2);
  EXPECT_DOUBLE_EQ(costs[0].cpu_percent, 0.1);
  EXPECT_EQ(costs[0].server_wakeups_per_s, std::nullopt);
  EXPECT_EQ(costs[1].strategy, Strategy::TaskAssertion);
  EXPECT_EQ(costs[1].held, seconds(1));
  EXPECT_DOUBLE_EQ(costs[1].wakeups_per_s, 10);
}

TEST(CostMeter, IsEmptyBeforeAnythingWasHeld) {
  CostMeter meter;
  EXPECT_TRUE(meter.costs().empty());
  meter.sample(used(1, milliseconds(1)), Strategy::SilentAudio, at(0));
  EXPECT_TRUE(meter.costs().empty()) << "one sample is no span";
}

TEST(CostMeter, TellsTheServerOverTheTimeInWhichItCouldBeRead) {
  CostMeter meter;
  meter.sample(used(0, milliseconds(0), 0, milliseconds(0)), Strategy::SilentAudio, at(0));
  meter.sample(used(0, milliseconds(0), 10, milliseconds(20)), Strategy::SilentAudio, at(20));
  meter.sample(used(0, milliseconds(0)), Strategy::SilentAudio, at(50));
  meter.sample(used(0, milliseconds(0), 15, milliseconds(30)), Strategy::SilentAudio, at(60));
  const auto costs = meter.costs();
  ASSERT_EQ(costs.size(), 1u);
  EXPECT_EQ(costs[0].held, seconds(60));
  EXPECT_DOUBLE_EQ(costs[0].server_wakeups_per_s.value(), 0.5);
  EXPECT_DOUBLE_EQ(costs[0].server_cpu_percent.value(), 0.1);
}

TEST(CostMeter, ACounterThatWentBackCountsNothing) {
  CostMeter meter;
  meter.sample(used(100, milliseconds(100), 500, milliseconds(500)), Strategy::SilentAudio, at(0));
  meter.sample(used(40, milliseconds(100), 3, milliseconds(1)), Strategy::SilentAudio, at(10));
  meter.sample(used(50, milliseconds(200), 8, milliseconds(2)), Strategy::SilentAudio, at(20));
  const auto costs = meter.costs();
  ASSERT_EQ(costs.size(), 1u);
  EXPECT_DOUBLE_EQ(costs[0].wakeups_per_s, 0.5) << "a thread had ended";
  EXPECT_DOUBLE_EQ(costs[0].server_wakeups_per_s.value(), 0.5) << "another server is another count";
}

}  // namespace
}  // namespace fermata::lifecycle
