// A mesh delivers each change about once, over few hops, and heals.
#include "spread.hpp"

#include <gtest/gtest.h>

namespace fermata::sim {
namespace {

class Spread : public testing::TestWithParam<std::size_t> {};

// The warm-up is each author's first two changes: the first floods, and its duplicates prune.
TEST_P(Spread, EachChangeComesAboutOnceAndOverNoMoreHopsThanTheGraphIsWide) {
  SpreadMesh mesh(GetParam(), 7);
  const std::vector<std::size_t> authors{0, 1, 4, GetParam() - 1};
  const double flooding = spread(mesh, authors, 1);
  const double settling = spread(mesh, authors, 1);
  mesh.forget_hops();
  const double steady = spread(mesh, authors, 10);
  fmt::print(
      "{} devices, diameter {}: deliveries per change and device {:.3f} at first, then {:.3f}, then {:.3f}; "
      "at most {} hops\n",
      mesh.size(), mesh.diameter(), flooding, settling, steady, mesh.worst_hops());
  EXPECT_LE(steady, 1.1);
  EXPECT_GE(steady, 1.0);
  EXPECT_LE(mesh.worst_hops(), mesh.diameter());
  EXPECT_TRUE(mesh.level());
  EXPECT_TRUE(mesh.silent());
}

TEST_P(Spread, ABrokenTreeHeals) {
  SpreadMesh mesh(GetParam(), 11);
  const std::vector<std::size_t> authors{0, 1, 4};
  (void)spread(mesh, authors, 3);
  mesh.lose(mesh.size() - 1);
  for (std::size_t cuts = mesh.links().size() / 5; cuts > 0; --cuts) {
    const std::vector<std::size_t> links = mesh.links();
    mesh.cut(links[mesh.world().random().below(links.size())]);
  }
  ASSERT_TRUE(mesh.connected()) << "the seed leaves pieces; choose another";
  const double healing = spread(mesh, authors, 2);
  const double healed = spread(mesh, authors, 6);
  fmt::print("{} devices, a fifth of the links cut: {:.3f} while healing, then {:.3f}\n", mesh.size(), healing, healed);
  EXPECT_LE(healed, 1.1);
  EXPECT_LT(mesh.worst_hops(), kUnreached) << "a change did not come to somebody";
  EXPECT_TRUE(mesh.level());
  EXPECT_TRUE(mesh.silent());
}

INSTANTIATE_TEST_SUITE_P(Devices, Spread, testing::Values(10, 50, 100));

}  // namespace
}  // namespace fermata::sim
