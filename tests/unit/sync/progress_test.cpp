#include "sync/progress.hpp"

#include <gtest/gtest.h>

namespace fermata::sync {
namespace {

TEST(Progress, JoinsRangesThatTouch) {
  Progress progress;
  ASSERT_TRUE(progress.fold({1, 0, 5, false}));
  EXPECT_EQ(progress.position(), (Position{0, 5}));
  ASSERT_TRUE(progress.fold({1, 5, 9, true}));
  EXPECT_EQ(progress.position(), (Position{9, 9}));
}

TEST(Progress, KeepsWhatComesTooEarlyUntilTheHoleIsFilled) {
  Progress progress;
  ASSERT_TRUE(progress.fold({1, 5, 9, true}));
  ASSERT_TRUE(progress.fold({1, 12, 14, true}));
  ASSERT_TRUE(progress.fold({1, 9, 12, false}));
  EXPECT_EQ(progress.position(), (Position{0, 0}));
  ASSERT_TRUE(progress.fold({1, 0, 5, false}));
  EXPECT_EQ(progress.position(), (Position{14, 14}));
}

TEST(Progress, NeverGoesBack) {
  Progress progress(Position{7, 7});
  ASSERT_TRUE(progress.fold({1, 0, 5, true}));
  EXPECT_EQ(progress.position(), (Position{7, 7}));
  ASSERT_TRUE(progress.fold({1, 2, 9, false}));
  EXPECT_EQ(progress.position(), (Position{7, 9}));
}

TEST(Progress, AnEmptyRangeAtTheEndMayStillSayThatNothingIsBehind) {
  Progress progress(Position{3, 7});
  ASSERT_TRUE(progress.fold({1, 7, 7, true}));
  EXPECT_EQ(progress.position(), (Position{7, 7}));
}

TEST(Progress, RefusesEndlessHoles) {
  Progress progress;
  Status status;
  for (std::uint64_t i = 1; status && i < 5000; ++i) status = progress.fold({1, i * 10, i * 10 + 1, true});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::LimitExceeded);
}

}  // namespace
}  // namespace fermata::sync
