// What cursors claim, in many random worlds. Some seeds again, alone:
//   FERMATA_SEED=123 build/dev/bin/test_sync --gtest_filter=Claims.OfACursorAreWhatTheOwnerHolds
//   FERMATA_SEED=1-5000 build/release/bin/test_sync --gtest_filter=Claims.OfLargeDocumentsToo
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>

#include "random_world.hpp"

namespace fermata::sync {
namespace {

constexpr std::uint64_t kPlain = 80;
constexpr std::uint64_t kOthers = 25;

struct Seeds {
  std::uint64_t first = 1;
  std::uint64_t last = 1;
  bool chosen = false;  // by a person
};

Seeds seeds(std::uint64_t count) {
  const char* chosen = std::getenv("FERMATA_SEED");
  if (!chosen) return {1, count};
  char* rest = nullptr;
  const std::uint64_t first = std::strtoull(chosen, &rest, 10);
  return {first, *rest == '-' ? std::strtoull(rest + 1, nullptr, 10) : first, true};
}

std::string how_to_repeat(std::uint64_t seed) {
  return fmt::format("repeat: FERMATA_SEED={} build/dev/bin/test_sync --gtest_filter=Claims.{}", seed,
                     testing::UnitTest::GetInstance()->current_test_info()->name());
}

using Figure = std::uint64_t (RandomWorld::*)() const;

// `figure` tells whether it was about anything.
void expect_true(std::uint64_t count, const WorldPlan& plan, Figure figure = &RandomWorld::claims) {
  const Seeds runs = seeds(count);
  std::uint64_t sum = 0;
  for (std::uint64_t seed = runs.first; seed <= runs.last && !testing::Test::HasFailure(); ++seed) {
    RandomWorld world(seed, plan);
    world.run();
    EXPECT_TRUE(world.problems().empty())
        << fmt::format("{}\n", fmt::join(world.problems(), "\n")) << how_to_repeat(seed);
    sum += (world.*figure)();
  }
  EXPECT_TRUE(sum != 0 || runs.chosen);
}

bool finds_out(Mutation bug) {
  for (std::uint64_t seed = 1; seed <= kPlain; ++seed) {
    RandomWorld world(seed, {.mutation = bug});
    world.run();
    if (!world.problems().empty()) return true;
  }
  return false;
}

TEST(Claims, OfACursorAreWhatTheOwnerHolds) {
  expect_true(kPlain, {});
}

TEST(Claims, OfLargeDocumentsToo) {
  expect_true(kOthers, {.large_documents = true});
}

TEST(Claims, WhereDeletionsAreForgottenToo) {
  expect_true(kOthers, {.forgets_deletions = true}, &RandomWorld::deletions_forgotten);
}

// Seed 65: who has ended a subscription does not hear that it was behind with it, and its frames were not taken in.
TEST(Claims, AreMadeGoodForWhatWasNotTakenInThoughItsReasonHasEnded) {
  RandomWorld world(65, {.forgets_deletions = true});
  world.run();
  EXPECT_TRUE(world.problems().empty()) << fmt::format("{}", fmt::join(world.problems(), "\n"));
}

TEST(Claims, OfAnEngineWithABugAreFoundOut) {
  EXPECT_TRUE(finds_out(Mutation::CursorOffByOne));
  EXPECT_TRUE(finds_out(Mutation::HeldRangeFolded));
  EXPECT_TRUE(finds_out(Mutation::LevelTooEarly));
}

}  // namespace
}  // namespace fermata::sync
