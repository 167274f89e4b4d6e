#include "crdt/stamp.hpp"

#include <gtest/gtest.h>

namespace fermata::crdt {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

WallTime wall(std::int64_t ms) {
  return WallTime(milliseconds(ms));
}

TEST(HybridClock, FollowsTheWallClockAndCountsWithinAMillisecond) {
  HybridClock clock;
  const Stamp first = clock.tick(wall(5));
  EXPECT_EQ(first.value, std::uint64_t{5} << 16);
  EXPECT_EQ(clock.tick(wall(5)), first.next());
  EXPECT_EQ(clock.tick(wall(6)).value, std::uint64_t{6} << 16);
}

TEST(HybridClock, NeverGoesBackWhenTheWallClockDoes) {
  HybridClock clock;
  const Stamp before = clock.tick(wall(1'000'000));
  EXPECT_EQ(clock.tick(wall(10)), before.next());
  EXPECT_EQ(clock.tick(wall(-10)), before.next().next());
}

TEST(HybridClock, FollowsARemoteThatIsALittleAhead) {
  HybridClock clock;
  const Stamp ahead{(std::uint64_t{10'000} << 16) + 7};
  clock.observe(ahead, wall(10'000 - HybridClock::kMaxLead.count() + 1));
  EXPECT_EQ(clock.tick(wall(1'000)), ahead.next());
}

TEST(HybridClock, IsNotDraggedAlongByARemoteWhoseClockIsWrong) {
  HybridClock clock;
  const WallTime now = wall(1'000'000);
  clock.observe(Stamp{static_cast<std::uint64_t>((now + hours(24)).time_since_epoch().count()) << 16}, now);
  clock.observe(kMaxStamp, now);
  EXPECT_EQ(clock.tick(now).value, std::uint64_t{1'000'000} << 16);
}

TEST(HybridClock, StaysWithinRangeOnAnAbsurdWallClock) {
  HybridClock clock;
  const Stamp stamp = clock.tick(wall(INT64_MAX / 2));
  EXPECT_LE(stamp, kMaxStamp);
  EXPECT_LE(clock.tick(wall(INT64_MAX / 2)), kMaxStamp);
}

}  // namespace
}  // namespace fermata::crdt
