#include "query/result_diff.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "unit/query/generators.hpp"
#include "unit/query/patching.hpp"

namespace fermata::query {
namespace {

std::vector<Map> rows(const std::string& ids) {
  std::vector<Map> made;
  for (const char id : ids) made.push_back({{"_id", std::string(1, id)}});
  return made;
}

// Rows with ids, without, and with what is no id.
rc::Gen<std::vector<Map>> generate_rows() {
  const auto row = rc::gen::exec([] {
    Map made{{"n", *rc::gen::inRange(0, 3)}};
    if (*rc::gen::inRange(0, 4) > 0) made.emplace("_id", std::string(1, *rc::gen::inRange('a', 'i')));
    if (*rc::gen::inRange(0, 9) == 0) made.insert_or_assign("_id", 5);
    if (*rc::gen::inRange(0, 9) == 0) made.emplace("x", std::numeric_limits<double>::quiet_NaN());
    return made;
  });
  return rc::gen::resize(12, rc::gen::container<std::vector<Map>>(row));
}

TEST(ResultDiff, NamesWhatWentByOldIndexesAndWhatCameByNewOnes) {
  const ResultDiff diff = diff_results(rows("abcd"), rows("xbdy"));
  EXPECT_EQ(diff.deleted, (std::vector<std::size_t>{0, 2}));
  EXPECT_EQ(diff.inserted, (std::vector<std::size_t>{0, 3}));
  EXPECT_TRUE(diff.updated.empty());
  EXPECT_TRUE(diff.moved.empty());
}

TEST(ResultDiff, MovesTheOneRowThatMovedAndNotThoseAroundIt) {
  const ResultDiff diff = diff_results(rows("abcde"), rows("bcdae"));
  EXPECT_EQ(diff.moved, (std::vector<IndexPair>{{0, 3}}));
  EXPECT_TRUE(diff.deleted.empty() && diff.inserted.empty() && diff.updated.empty());
}

TEST(ResultDiff, ARowWithAnotherContentIsUpdatedWhereItIsNow) {
  auto before = rows("abc");
  auto after = rows("cab");
  after[0].emplace("n", 1);
  const ResultDiff diff = diff_results(before, after);
  EXPECT_EQ(diff.updated, (std::vector<std::size_t>{0}));
  EXPECT_EQ(diff.moved, (std::vector<IndexPair>{{2, 0}}));
}

TEST(ResultDiff, ARowWithoutIdThatChangedInItsPlaceIsUpdated) {
  const ResultDiff diff = diff_results({Map{{"count", 1}}}, {Map{{"count", 2}}});
  EXPECT_EQ(diff.updated, (std::vector<std::size_t>{0}));
  EXPECT_TRUE(diff.deleted.empty() && diff.inserted.empty() && diff.moved.empty());
}

TEST(ResultDiff, EqualResultsHaveAnEmptyDiffWithNanToo) {
  const std::vector<Map> result{{{"_id", "a"}, {"n", std::numeric_limits<double>::quiet_NaN()}}, {{"n", 1}}};
  EXPECT_TRUE(diff_results(result, result).empty());
}

RC_GTEST_PROP(ResultDiff, AppliedToTheOldResultGivesTheNewOne, ()) {
  const auto before = *generate_rows();
  const auto after = *generate_rows();
  const auto made = patched(before, diff_results(before, after), after);
  RC_ASSERT(made.has_value());
  RC_ASSERT(bytes_of(*made) == bytes_of(after));
}

}  // namespace
}  // namespace fermata::query
