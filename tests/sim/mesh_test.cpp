// The mesh simulator's runs. Some seeds again, alone:
//   FERMATA_PLAN=short FERMATA_SEED=123 build/dev/bin/test_sim --gtest_filter=Mesh.ChosenSeeds
//   FERMATA_PLAN=long FERMATA_SEED=1-5000 build/release/bin/test_sim --gtest_filter=Mesh.ChosenSeeds
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "scenario.hpp"

namespace fermata::sim {
namespace {

std::string how_to_repeat(const Plan& plan, std::uint64_t seed) {
  return fmt::format("repeat: FERMATA_PLAN={} FERMATA_SEED={} build/dev/bin/test_sim --gtest_filter=Mesh.ChosenSeeds",
                     plan.name, seed);
}

void expect_good(const Plan& plan, std::uint64_t seed) {
  const Outcome outcome = run_scenario(plan, seed);
  EXPECT_FALSE(outcome.violation) << outcome.violation.what << '\n' << how_to_repeat(plan, seed);
  EXPECT_GT(outcome.writes, 0u) << how_to_repeat(plan, seed);
}

constexpr std::uint64_t kShortPerBlock = 210;

class MeshSeeds : public testing::TestWithParam<std::uint64_t> {};

TEST_P(MeshSeeds, ConvergeAfterTrouble) {
  for (std::uint64_t i = 0; i < kShortPerBlock && !HasFailure(); ++i)
    expect_good(kShort, GetParam() * kShortPerBlock + i + 1);
}

INSTANTIATE_TEST_SUITE_P(Blocks, MeshSeeds, testing::Range<std::uint64_t>(0, 10));

TEST(Mesh, WhatIsForgottenStaysDeletedAndNothingElseIsLost) {
  std::uint64_t forgotten = 0, evicted = 0;
  for (std::uint64_t seed = 1; seed <= 60 && !HasFailure(); ++seed) {
    const Outcome outcome = run_scenario(kForgetful, seed);
    EXPECT_FALSE(outcome.violation) << outcome.violation.what << '\n' << how_to_repeat(kForgetful, seed);
    forgotten += outcome.forgotten;
    evicted += outcome.evicted;
  }
  std::printf("%llu deletions forgotten, %llu documents given up\n", static_cast<unsigned long long>(forgotten),
              static_cast<unsigned long long>(evicted));
  EXPECT_GT(forgotten, 0u);
  EXPECT_GT(evicted, 0u);
}

TEST(Mesh, CountersAreTheSumOfAllThatWasCounted) {
  std::uint64_t counters = 0;
  for (std::uint64_t seed = 1; seed <= 150 && !HasFailure(); ++seed) {
    const Outcome outcome = run_scenario(kCounting, seed);
    EXPECT_FALSE(outcome.violation) << outcome.violation.what << '\n' << how_to_repeat(kCounting, seed);
    counters += outcome.counters;
  }
  std::printf("%llu counters\n", static_cast<unsigned long long>(counters));
  EXPECT_GT(counters, 0u);
}

TEST(Mesh, LongerRunsOfMoreDevicesConverge) {
  for (std::uint64_t seed = 1; seed <= 12 && !testing::Test::HasFailure(); ++seed) expect_good(kLong, seed);
}

// The least that a part of a run used: what is under way comes and goes, what is left behind stays.
template <class Figure>
std::uint64_t least(const std::vector<Size>& sizes, std::size_t first, std::size_t end, Figure figure) {
  std::uint64_t least = UINT64_MAX;
  for (std::size_t i = first; i < end; ++i) least = std::min(least, sizes[i].*figure);
  return least;
}

TEST(Mesh, AWeekOfChurnLeavesNothingBehind) {
  const Outcome outcome = run_scenario(kWeek, 1);
  EXPECT_FALSE(outcome.violation) << outcome.violation.what << '\n' << how_to_repeat(kWeek, 1);
  const std::vector<Size>& sizes = outcome.sizes;
  ASSERT_GE(sizes.size(), 24u) << "four a day";
  for (const Size& size : sizes)
    std::printf("%llu rows, %llu KiB\n", static_cast<unsigned long long>(size.rows),
                static_cast<unsigned long long>(size.heap_bytes >> 10));
  const std::size_t end = sizes.size();
  for (const auto figure : {&Size::rows, &Size::heap_bytes}) {
    const std::uint64_t early = least(sizes, 1, end / 3, figure);
    const std::uint64_t late = least(sizes, end - end / 3, end, figure);
    EXPECT_LE(late, early + early / 5) << (figure == &Size::rows ? "rows" : "bytes") << " by the end of the week";
  }
}

TEST(Mesh, ChosenSeeds) {
  const char* chosen_plan = std::getenv("FERMATA_PLAN");
  const auto plan = plan_named(chosen_plan ? chosen_plan : "short");
  ASSERT_TRUE(plan) << "no plan is called " << chosen_plan;
  const char* chosen = std::getenv("FERMATA_SEED");
  char* rest = nullptr;
  const std::uint64_t first = chosen ? std::strtoull(chosen, &rest, 10) : 1;
  const std::uint64_t last = rest && *rest == '-' ? std::strtoull(rest + 1, nullptr, 10) : first;
  for (std::uint64_t seed = first; seed <= last; ++seed) expect_good(*plan, seed);
}

TEST(Mesh, TheSameSeedRunsTheSameWayTwice) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const Outcome first = run_scenario(kShort, seed);
    const Outcome second = run_scenario(kShort, seed);
    EXPECT_EQ(first.trace_hash, second.trace_hash) << how_to_repeat(kShort, seed);
    EXPECT_EQ(first.frames, second.frames);
    EXPECT_NE(first.trace_hash, run_scenario(kShort, seed + 1).trace_hash);
  }
}

}  // namespace
}  // namespace fermata::sim
