// How much is computed of one document: whoever writes a condition and the document that it is about, a peer included,
// cannot make us compute for long.
#include <gtest/gtest.h>
#include <fermata/database.hpp>

#include "query/predicate.hpp"
#include "support/temp_dir.hpp"

namespace fermata::query {
namespace {

Value numbers(int count) {
  Array all;
  for (int i = 0; i < count; ++i) all.emplace_back(i);
  return all;
}

std::string nested(const std::string& inner) {
  return "ANY a IN l SATISFIES ANY b IN l SATISFIES EVERY c IN l SATISFIES ANY d IN l SATISFIES " + inner +
         " END END END END";
}

bool is_matched(const std::string& condition, const Map& fields) {
  const auto predicate = Predicate::parse("SELECT * FROM c WHERE " + condition, {});
  EXPECT_TRUE(predicate) << condition;
  return predicate && predicate->matches("1", fields);
}

// Whatever stands around it, unless that has decided before.
void expect_undecided(const std::string& condition, const Map& fields) {
  for (const std::string& each : {"NOT (" + condition + ")", "(" + condition + ") IS NULL", condition + " OR true"}) {
    EXPECT_FALSE(is_matched(each, fields)) << each;
  }
}

TEST(Budget, LeavesOrdinaryConditionsAboutTheLargestDocumentsAlone) {
  const Map fields{{"l", numbers(250'000)}, {"t", std::string(8u << 20, 'a')}};
  EXPECT_TRUE(is_matched("ANY a IN l SATISFIES a > 5 AND a * 2 = 499998 AND a % 2 = 1 END", fields));
  EXPECT_TRUE(is_matched("NOT ANY a IN l SATISFIES a < 0 OR a IN (250000, 250001) END", fields));
  EXPECT_TRUE(is_matched("t LIKE '%aaa%' AND NOT t CONTAINS 'b' AND lower(t) = t AND length(t) > 5", fields));
  EXPECT_TRUE(is_matched("249999 IN l AND l CONTAINS 1 AND array_length(array_distinct(l)) = 250000", fields));
}

TEST(Budget, EndsQuantifiersInsideOneAnother) {
  expect_undecided(nested("a + b + c + d = -1"), {{"l", numbers(10'000)}});
  EXPECT_FALSE(is_matched(nested("false") + " OR true", {{"l", numbers(250'000)}}));
  EXPECT_TRUE(is_matched("_id = '1' OR " + nested("false"), {{"l", numbers(10'000)}}));
  EXPECT_TRUE(is_matched(nested("a + b = d"), {{"l", numbers(10)}}));
}

TEST(Budget, CountsWhatFunctionsAndComparisonsLookAt) {
  const Map fields{{"l", numbers(20'000)},
                   {"t", std::string(1u << 20, 'a')},
                   {"maps", Array{Map{{"x", numbers(1000)}}, Map{{"x", numbers(1000)}}}}};
  for (const char* inner :
       {"l CONTAINS a - 20000", "l IN ([1], l, maps)", "t CONTAINS text(a)", "t = lower(t)", "t LIKE '%b'",
        "array_length(maps[0].x) = a", "array_length(split(t, 'b')) = a", "NOT maps"}) {
    EXPECT_FALSE(is_matched("(ANY a IN l SATISFIES " + std::string(inner) + " AND a < 0 END) OR true", fields))
        << inner;
  }
  std::string pattern(1000, 'a');
  EXPECT_FALSE(is_matched("(ANY a IN l SATISFIES t LIKE '%" + pattern + "b%' END) OR true", fields));
}

TEST(Budget, IsTheSameForEveryDocumentWhateverWasComputedBefore) {
  const auto predicate = Predicate::parse("SELECT * FROM c WHERE NOT ANY a IN l SATISFIES a < 0 END", {}).value();
  const Map fields{{"l", numbers(200'000)}};
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(predicate.matches("1", fields));
}

TEST(Budget, OfTextSearchIsInProportionToTheText) {
  const Map fields{{"t", std::string(8u << 20, 'a')}, {"u", std::string(4u << 20, 'a') + "b"}};
  EXPECT_TRUE(is_matched("NOT t CONTAINS u", fields));
  EXPECT_TRUE(is_matched("position(t, u) = 0", fields));
  EXPECT_TRUE(is_matched("array_length(split(t, u)) = 1", fields));
  EXPECT_TRUE(is_matched("byte_length(replace(t, u, '')) = 8388608", fields));
}

class BudgetOfStatements : public testing::Test {
 protected:
  void SetUp() override {
    const Map document{{"_id", "1"}, {"n", 1}, {"l", numbers(2000)}, {"t", std::string(1u << 20, 'a')}};
    ASSERT_TRUE(database_->execute("INSERT INTO c DOCUMENTS (:d)", {{"d", document}}));
  }

  support::TempDir directory_;
  std::unique_ptr<Database> database_ = Database::open({.directory = directory_.path()}).value();
};

TEST_F(BudgetOfStatements, IsAnErrorThatSaysWhatToDoAndNothingIsWritten) {
  const std::string dear = "ANY a IN l SATISFIES t CONTAINS 'b' END";
  const std::string group = "ANY a IN max(l) SATISFIES max(t) CONTAINS 'b' END";
  for (const std::string& statement : {
           "SELECT _id FROM c WHERE " + dear,
           "SELECT _id FROM c WHERE n = 1 AND NOT (" + dear + ")",
           "SELECT " + dear + " AS v FROM c",
           "SELECT _id FROM c ORDER BY " + dear,
           "SELECT count(*) AS n FROM c GROUP BY " + dear,
           "SELECT count(" + dear + ") AS n FROM c",
           "SELECT " + group + " AS v FROM c",
           "SELECT count(*) AS n FROM c HAVING " + group,
           "SELECT count(*) AS n FROM c GROUP BY n ORDER BY " + group,
           "UPDATE c SET n = 2 WHERE " + dear,
           "UPDATE c SET n = (" + dear + ")",
           "UPDATE c SET n = 2 RETURNING " + dear + " AS v",
           "DELETE FROM c WHERE " + dear,
           "DELETE FROM c RETURNING " + dear + " AS v",
           "INSERT INTO c DOCUMENTS ({_id: '1', n: 3}) ON ID CONFLICT DO UPDATE RETURNING " + dear + " AS v",
       }) {
    const auto result = database_->execute(statement);
    ASSERT_FALSE(result) << statement;
    EXPECT_EQ(result.error().code, ErrorCode::LimitExceeded) << statement;
    EXPECT_NE(result.error().message.find("more than 4000000 steps; use fewer ANY"), std::string::npos)
        << result.error().message;
  }
  EXPECT_EQ(database_->execute("SELECT n FROM c").value().items.front().at("n"), Value(1));
}

TEST_F(BudgetOfStatements, IsForEachRowAnew) {
  for (int i = 2; i < 12; ++i) {
    const Map document{{"_id", std::to_string(i)}, {"n", 1}, {"l", numbers(200)}, {"t", std::string(1u << 20, 'a')}};
    ASSERT_TRUE(database_->execute("INSERT INTO c DOCUMENTS (:d)", {{"d", document}}));
  }
  const std::string dear = "ANY a IN l SATISFIES t CONTAINS 'b' END";
  EXPECT_EQ(database_->execute("SELECT _id FROM c WHERE _id != '1' AND NOT " + dear).value().items.size(), 10u);
  EXPECT_EQ(database_->execute("SELECT " + dear + " AS v FROM c WHERE _id != '1'").value().items.size(), 10u);
  EXPECT_TRUE(database_->execute("UPDATE c SET n = (" + dear + ") WHERE _id != '1'"));
}

}  // namespace
}  // namespace fermata::query
