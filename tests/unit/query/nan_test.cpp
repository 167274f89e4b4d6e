// NaN, which SQLite has no value for, and JSON and our literals neither.
#include <gtest/gtest.h>
#include <fermata/database.hpp>

#include <limits>

#include "support/temp_dir.hpp"

namespace fermata {
namespace {

class Nan : public testing::Test {
 protected:
  QueryResult execute(const std::string& statement, const Map& parameters = {}) {
    auto result = database_->execute(statement, parameters);
    EXPECT_TRUE(result) << statement << ": " << (result ? "" : result.error().message);
    return result ? std::move(*result) : QueryResult{};
  }

  Value value_of(const std::string& statement, const Map& parameters = {}) {
    const QueryResult result = execute(statement, parameters);
    return result.items.empty() ? Value("no row") : result.items.front().at("v");
  }

  support::TempDir directory_;
  std::unique_ptr<Database> database_ = Database::open({.directory = directory_.path()}).value();
};

TEST_F(Nan, CountsAsNullWhereverAValueIsLookedAt) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Map all{{"nan", nan}, {"list", Array{1, nan}}};
  execute("INSERT INTO one DOCUMENTS (:d)",
          {{"d", Map{{"_id", "1"}, {"x", nan}, {"n", nullptr}, {"l", Array{1, nan}}}}});
  constexpr const char* kTrue[] = {"x IS NULL",
                                   ":nan IS NULL",
                                   "l[1] IS NULL",
                                   "NOT x IS MISSING",
                                   "coalesce(x, 5) = 5",
                                   "ifnull(x, 5) = 5",
                                   "least(1, x) IS NULL AND least(x, 1) IS NULL",
                                   "greatest(1, x) IS NULL AND greatest(x, 1) IS NULL",
                                   "abs(x) IS NULL AND x + 1 IS NULL AND -x IS NULL",
                                   "(x = x) IS NULL AND (x IN (1)) IS NULL AND (2 IN (1, :nan)) IS NULL",
                                   "(2 IN l) IS NULL AND (2 IN :list) IS NULL AND 1 IN l AND (x IN l) IS NULL",
                                   "NOT x IN []",
                                   "array_contains_null(l)",
                                   "array_length(array_distinct(array_append(l, x, null))) = 2",
                                   "(l CONTAINS x) IS NULL",
                                   "if(x, 1, 2) = 2",
                                   "type(x) = 'double'"};
  for (const std::string condition : kTrue) {
    EXPECT_EQ(execute("SELECT _id FROM one WHERE " + condition, all).items.size(), 1u) << condition;
    EXPECT_EQ(value_of("SELECT if(" + condition + ", 'yes', 'no') AS v FROM one", all), Value("yes")) << condition;
  }
  EXPECT_EQ(to_json(value_of("SELECT x AS v FROM one")), to_json(Value(nan)));
  EXPECT_EQ(value_of("SELECT count(x) AS v FROM one"), Value(0));
  EXPECT_EQ(execute("SELECT x, count(*) AS n FROM one GROUP BY x").items.size(), 1u);
}

}  // namespace
}  // namespace fermata
