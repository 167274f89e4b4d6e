#include "query/predicate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "unit/query/generators.hpp"

namespace fermata::query {
namespace {

Predicate parsed(std::string_view select, const Map& parameters = {}) {
  auto predicate = Predicate::parse(select, parameters);
  EXPECT_TRUE(predicate) << select << "\n" << (predicate ? "" : predicate.error().message);
  return predicate ? std::move(*predicate) : Predicate::parse("SELECT * FROM none", {}).value();
}

ErrorCode refused_as(std::string_view select, const Map& parameters = {}) {
  const auto predicate = Predicate::parse(select, parameters);
  EXPECT_FALSE(predicate) << select.substr(0, 200);
  return predicate ? ErrorCode::Io : predicate.error().code;
}

TEST(Predicate, HasOneTextForQueriesThatDifferOnlyInForm) {
  const Predicate one = parsed("SELECT * FROM tasks WHERE done = false AND title != 'x'");
  const Predicate other =
      parsed("select  *\nfrom \"tasks\" where ((done == :d) and (title <> :t));", {{"d", false}, {"t", "x"}});
  EXPECT_EQ(one.text(), "SELECT * FROM tasks WHERE done = false AND title != 'x'");
  EXPECT_EQ(one.text(), other.text());
  EXPECT_EQ(one.key(), other.key());
  EXPECT_NE(one.key(), parsed("SELECT * FROM tasks WHERE done = false").key());
  EXPECT_NE(parsed("SELECT * FROM tasks").key(), parsed("SELECT * FROM task").key());
}

TEST(Predicate, WritesParametersAsLiterals) {
  const Predicate predicate =
      parsed("SELECT * FROM c WHERE a IN (:a, :b, :c, :d, :e, :f)",
             {{"a", "it's"}, {"b", 1.0}, {"c", -0.0}, {"d", Array{1, nullptr}}, {"e", Map{{"k", true}}}, {"f", 1e300}});
  EXPECT_EQ(predicate.text(), "SELECT * FROM c WHERE a IN ('it''s', 1.0, -0.0, [1, null], {'k': true}, 1e+300)");
  EXPECT_EQ(parsed(predicate.text()).text(), predicate.text());
}

TEST(Predicate, QuotesNamesThatNeedIt) {
  EXPECT_EQ(parsed(R"(SELECT * FROM "from" WHERE "a b"."order".c = 1 OR "x""y" IS NOT NULL)").text(),
            R"(SELECT * FROM "from" WHERE "a b"."order".c = 1 OR "x""y" IS NOT NULL)");
}

TEST(Predicate, KeepsItsMeaningInItsText) {
  for (const char* where : {
           "NOT (a = 1 AND b = 2)",
           "(a = 1 OR b = 2) AND c = 3",
           "a = 1 OR b = 2 AND c = 3",
           "NOT a = 1",
           "a NOT IN (1, 2)",
           "a NOT LIKE 'x%'",
           "a IS NOT MISSING",
           "NOT a",
           "a",
           "'x' = a",
           "true",
           "NOT (a OR b)",
       }) {
    const std::string text = "SELECT * FROM c WHERE " + std::string(where);
    EXPECT_EQ(parsed(text).text(), text);
  }
}

TEST(Predicate, RefusesWhatASubscriptionCannotBe) {
  EXPECT_EQ(refused_as("SELECT * FROM c ORDER BY a"), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused_as("SELECT * FROM c LIMIT 1"), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused_as("DELETE FROM c"), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused_as("SELECT * FROM __peers"), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused_as("SELECT * FROM c WHERE a = :absent"), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused_as("SELECT * FROM c WHERE a = :b", {{"b", Bytes{1}}}), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused_as("SELECT * FROM c WHERE a = :b", {{"b", Array{Bytes{1}}}}), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused_as("SELECT * FROM c WHERE a = :b", {{"b", std::nan("")}}), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused_as("SELECT * FROM c WHERE a = :b", {{"b", "\xff"}}), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused_as("SELECT * FROM c WHERE a ="), ErrorCode::Syntax);
}

TEST(Predicate, LimitsTheTextThatTravels) {
  EXPECT_EQ(refused_as("SELECT * FROM c WHERE a = '" + std::string(70'000, 'x') + "'"), ErrorCode::LimitExceeded);
  EXPECT_EQ(refused_as("SELECT * FROM c WHERE a = :b", {{"b", std::string(70'000, 'x')}}), ErrorCode::LimitExceeded);
  Value deep;
  for (int i = 0; i < 70; ++i) deep = Array{std::move(deep)};
  EXPECT_EQ(refused_as("SELECT * FROM c WHERE a = :b", {{"b", std::move(deep)}}), ErrorCode::LimitExceeded);
}

TEST(Predicate, MatchesADocumentByItsFieldsAndItsId) {
  const Predicate predicate = parsed("SELECT * FROM c WHERE address.city = 'Berlin' AND _id LIKE 't%'");
  EXPECT_FALSE(predicate.matches_everything());
  EXPECT_TRUE(predicate.matches("t1", {{"address", Map{{"city", "Berlin"}}}}));
  EXPECT_FALSE(predicate.matches("u1", {{"address", Map{{"city", "Berlin"}}}}));
  EXPECT_FALSE(predicate.matches("t1", {{"address", "Berlin"}}));
  EXPECT_TRUE(parsed("SELECT * FROM c").matches_everything());
  EXPECT_TRUE(parsed("SELECT * FROM c").matches("x", {}));
}

struct Example {
  const char* where;
  bool matches;
};

TEST(Predicate, ComparesAsDocumented) {
  const Map document{{"null", nullptr},
                     {"yes", true},
                     {"one", 1},
                     {"real", 1.5},
                     {"text", "Abc"},
                     {"bytes", Bytes{1}},
                     {"big", 9007199254740993},
                     {"list", Array{1, 2}},
                     {"map", Map{{"k", 1}}}};
  const Example examples[] = {
      {"yes = 1", true},
      {"yes = true", true},
      {"one = true", true},
      {"one = 1.0", true},
      {"one < real", true},
      {"big = 9007199254740992.0", false},
      {"big > 9007199254740992.0", true},
      {"one < 'a'", true},
      {"text < bytes", true},
      {"'9' > 10", true},
      {"text = 'abc'", false},
      {"text LIKE 'abc'", true},
      {"text LIKE 'a_c'", true},
      {"text LIKE '%B%'", true},
      {"text LIKE 'a'", false},
      {"one LIKE '1'", false},
      {"one NOT LIKE '1'", true},
      {"list = [1, 2]", true},
      {"list = [1, 2.0]", false},
      {"map = {k: 1}", true},
      {"map.k = 1", true},
      {"map.k.x IS MISSING", true},
      {"\"null\" IS NULL", true},
      {"\"null\" IS MISSING", false},
      {"nothing IS NULL", false},
      {"nothing IS MISSING", true},
      {"nothing IS NOT NULL", true},
      {"\"null\" = null", false},
      {"nothing = 1", false},
      {"NOT nothing = 1", false},
      {"nothing != 1", false},
      {"nothing = 1 OR one = 1", true},
      {"one IN (3, 1)", true},
      {"one IN (3, null)", false},
      {"one NOT IN (3, null)", false},
      {"one NOT IN (3, 4)", true},
      {"nothing IN (1)", false},
      {"yes", true},
      {"NOT yes", false},
      {"text", false},
      {"NOT text", true},
      {"nothing", false},
      {"NOT nothing", false},
      {"_id = 'x'", true},
      {"_id IS NULL", false},
      {"_id.x IS MISSING", true},
      {"_id > 5", true},
  };
  for (const Example& example : examples) {
    const Predicate predicate = parsed("SELECT * FROM c WHERE " + std::string(example.where));
    EXPECT_EQ(predicate.matches("x", document), example.matches) << example.where;
  }
}

TEST(Predicate, SaysTheTruthOfAValueWhereItIsMeantAndNotTheValue) {
  const Map five{{"a", 5}};
  for (const auto& [where, fields, matches] : {std::tuple<const char*, Map, bool>{"(NOT NOT a) = 5", five, false},
                                               {"(NOT NOT a) = 1", five, true},
                                               {"(NOT NOT a) IS MISSING", {}, false},
                                               {"(NOT NOT a) IS NULL", {}, true},
                                               {"(1 IN a) = true", {{"a", Array{1}}}, true},
                                               {"NOT NOT a", five, true}}) {
    const Predicate predicate = parsed("SELECT * FROM c WHERE " + std::string(where));
    EXPECT_EQ(predicate.matches("x", fields), matches) << where;
    EXPECT_EQ(parsed(predicate.text()).matches("x", fields), matches) << predicate.text();
    EXPECT_EQ(parsed(predicate.text()).text(), predicate.text());
  }
}

RC_GTEST_PROP(Predicate, TextParsesToAnEqualPredicate, ()) {
  const Expression where = *generate_expression(3);
  const auto text = write_select("c", std::make_shared<const Expression>(where));
  RC_PRE(text.has_value());
  const auto again = Predicate::parse(*text, {});
  if (!again) RC_FAIL(again.error().message);
  const auto third = Predicate::parse(again->text(), {});
  RC_ASSERT(third.has_value());
  RC_ASSERT(third->text() == again->text());
  RC_ASSERT(third->key() == again->key());
  const Map document = *generate_document();
  RC_ASSERT(again->matches("a", document) == (evaluate(where, {"a", document}) == Truth::True));
}

RC_GTEST_PROP(Predicate, AnyTextIsParsedOrRefused, ()) {
  const auto parts = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
      "SELECT", " * ", "FROM", " c ", "WHERE", "(", ")", "[", "]", "{", "}", "'", "\"", "a", ".", ":", "p", ",", "=",
      "<", ">", " NOT ", " IN ", " IS ", " LIKE ", " AND ", " OR ", " NULL ", "1", "-", "e", ";", "\\", "\xc3\xa9"));
  std::string text = "SELECT * FROM c WHERE ";
  for (const std::string& part : parts) text += part;
  const auto predicate = Predicate::parse(text, {{"p", 1}});
  if (!predicate) {
    RC_ASSERT(!predicate.error().message.empty());
    return;
  }
  RC_ASSERT(Predicate::parse(predicate->text(), {})->key() == predicate->key());
}

}  // namespace
}  // namespace fermata::query
