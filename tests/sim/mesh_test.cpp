// The mesh simulator's runs. One failing seed again, alone:
//   FERMATA_SEED=123 build/dev/bin/test_sim --gtest_filter='Mesh.OneSeed'
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "scenario.hpp"

namespace fermata::sim {
namespace {

using sync::Mutation;

constexpr std::uint64_t kSeedsPerBlock = 28;

std::string how_to_repeat(std::uint64_t seed) {
  return fmt::format("repeat: FERMATA_SEED={} build/dev/bin/test_sim --gtest_filter=Mesh.OneSeed", seed);
}

class MeshSeeds : public testing::TestWithParam<std::uint64_t> {};

TEST_P(MeshSeeds, ConvergeAfterTrouble) {
  for (std::uint64_t i = 0; i < kSeedsPerBlock; ++i) {
    const std::uint64_t seed = GetParam() * kSeedsPerBlock + i + 1;
    const Outcome outcome = run_scenario(seed);
    ASSERT_EQ(outcome.violation, "") << how_to_repeat(seed);
    ASSERT_GT(outcome.writes, 0u) << how_to_repeat(seed);
  }
}

INSTANTIATE_TEST_SUITE_P(Blocks, MeshSeeds, testing::Range<std::uint64_t>(0, 8));

TEST(Mesh, OneSeed) {
  const char* chosen = std::getenv("FERMATA_SEED");
  const std::uint64_t seed = chosen ? std::strtoull(chosen, nullptr, 10) : 1;
  const Outcome outcome = run_scenario(seed);
  EXPECT_EQ(outcome.violation, "") << how_to_repeat(seed);
}

TEST(Mesh, TheSameSeedRunsTheSameWayTwice) {
  for (std::uint64_t seed : {3u, 17u, 92u}) {
    const Outcome first = run_scenario(seed);
    const Outcome second = run_scenario(seed);
    EXPECT_EQ(first.trace_hash, second.trace_hash) << how_to_repeat(seed);
    EXPECT_EQ(first.frames, second.frames);
    EXPECT_NE(first.trace_hash, run_scenario(seed + 1).trace_hash);
  }
}

// The test of the tests: each bug, put in on purpose, is noticed within some seeds.
class InjectedBugs : public testing::TestWithParam<Mutation> {};

TEST_P(InjectedBugs, AreNoticedByTheOracles) {
  constexpr std::uint64_t kTries = 150;
  for (std::uint64_t seed = 1; seed <= kTries; ++seed) {
    if (!run_scenario(seed, GetParam()).violation.empty()) return;
  }
  FAIL() << "no oracle noticed within " << kTries << " seeds";
}

std::string name_of_bug(const testing::TestParamInfo<Mutation>& info) {
  switch (info.param) {
    case Mutation::None:
      return "None";
    case Mutation::CursorOffByOne:
      return "CursorOffByOne";
    case Mutation::BeforeMatchIgnored:
      return "BeforeMatchIgnored";
    case Mutation::HeldRangeFolded:
      return "HeldRangeFolded";
    case Mutation::EchoDropsDocument:
      return "EchoDropsDocument";
    case Mutation::BaseIgnored:
      return "BaseIgnored";
    case Mutation::FingerprintIgnored:
      return "FingerprintIgnored";
  }
  return "Unknown";
}

INSTANTIATE_TEST_SUITE_P(All, InjectedBugs,
                         testing::Values(Mutation::CursorOffByOne, Mutation::BeforeMatchIgnored,
                                         Mutation::HeldRangeFolded, Mutation::EchoDropsDocument, Mutation::BaseIgnored,
                                         Mutation::FingerprintIgnored),
                         name_of_bug);

}  // namespace
}  // namespace fermata::sim
