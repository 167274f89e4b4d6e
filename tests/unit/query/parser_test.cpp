#include "query/parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fermata::query {
namespace {

template <class T>
T parsed(std::string_view text, const Map& parameters = {}) {
  auto statement = parse_statement(text, parameters);
  EXPECT_TRUE(statement) << text << "\n" << (statement ? "" : statement.error().message);
  if (!statement || !std::holds_alternative<T>(*statement)) {
    ADD_FAILURE() << "another kind of statement: " << text;
    return {};
  }
  return std::get<T>(std::move(*statement));
}

Error refused(std::string_view text, const Map& parameters = {}) {
  const auto statement = parse_statement(text, parameters);
  EXPECT_FALSE(statement) << text.substr(0, 200);
  return statement ? Error{} : statement.error();
}

const Value& literal(const Operand& operand) {
  return std::get<Value>(operand);
}
const crdt::Path& path(const Operand& operand) {
  return std::get<crdt::Path>(operand);
}

TEST(Parser, ReadsEveryPartOfASelect) {
  const auto select = parsed<SelectStatement>(
      " sElEcT * FROM tasks\n WHERE done = false ORDER BY due desc, title ASC, _id LIMIT 10 ; ");
  EXPECT_EQ(select.collection, "tasks");
  ASSERT_NE(select.where, nullptr);
  EXPECT_EQ(select.where->kind, ExpressionKind::Compare);
  EXPECT_EQ(path(select.where->operands[0]), crdt::Path{"done"});
  EXPECT_EQ(literal(select.where->operands[1]), Value(false));
  ASSERT_EQ(select.order.size(), 3u);
  EXPECT_EQ(select.order[0].direction, Direction::Descending);
  EXPECT_EQ(select.order[1].direction, Direction::Ascending);
  EXPECT_EQ(path(select.order[1].value), crdt::Path{"title"});
  EXPECT_EQ(select.limit, 10);
}

TEST(Parser, TakesNamesInDoubleQuotesAsNames) {
  const auto select = parsed<SelectStatement>(R"(SELECT * FROM "my ""tasks""" WHERE "a.b"."select".from = 'it''s')");
  EXPECT_EQ(select.collection, R"(my "tasks")");
  EXPECT_EQ(path(select.where->operands[0]), (crdt::Path{"a.b", "select", "from"}));
  EXPECT_EQ(literal(select.where->operands[1]), Value("it's"));
}

TEST(Parser, ReadsNumbersAsIntegersWhereTheyFit) {
  const auto in = parsed<SelectStatement>(
      "SELECT * FROM c WHERE a IN (0, -7, 9223372036854775807, -9223372036854775808, 9223372036854775808, 1.0, "
      "-2.5e-3)");
  const auto& operands = in.where->operands;
  ASSERT_EQ(operands.size(), 8u);
  EXPECT_EQ(literal(operands[2]), Value(-7));
  EXPECT_EQ(literal(operands[3]), Value(std::numeric_limits<std::int64_t>::max()));
  EXPECT_EQ(literal(operands[4]), Value(std::numeric_limits<std::int64_t>::min()));
  EXPECT_EQ(literal(operands[5]), Value(9223372036854775808.0));
  EXPECT_EQ(literal(operands[6]), Value(1.0));
  EXPECT_EQ(literal(operands[7]), Value(-2.5e-3));
}

TEST(Parser, BindsAndBeforeOrAndNotBeforeAnd) {
  const auto select = parsed<SelectStatement>("SELECT * FROM c WHERE a = 1 OR NOT b = 2 AND c = 3");
  ASSERT_EQ(select.where->kind, ExpressionKind::Or);
  const Expression& right = select.where->children[1];
  ASSERT_EQ(right.kind, ExpressionKind::And);
  EXPECT_EQ(right.children[0].kind, ExpressionKind::Not);
  EXPECT_EQ(right.children[1].kind, ExpressionKind::Compare);
}

TEST(Parser, TakesParenthesesWithoutEffectAway) {
  const auto select = parsed<SelectStatement>("SELECT * FROM c WHERE ((a = 1) AND (b = 2 AND ((c = 3))))");
  EXPECT_EQ(select.where->kind, ExpressionKind::And);
  EXPECT_EQ(select.where->children.size(), 3u);
}

TEST(Parser, ReadsEveryKindOfCondition) {
  const auto kind_of = [](std::string_view condition) {
    return parsed<SelectStatement>("SELECT * FROM c WHERE " + std::string(condition)).where->kind;
  };
  for (const char* comparison : {"a=1", "a == 1", "a != 1", "a <> 1", "a < 1", "a <= 1", "a > 1", "a >= 1", "1 = a"}) {
    EXPECT_EQ(kind_of(comparison), ExpressionKind::Compare) << comparison;
  }
  EXPECT_EQ(kind_of("a IN (1)"), ExpressionKind::In);
  EXPECT_EQ(kind_of("a LIKE 'x%'"), ExpressionKind::Like);
  EXPECT_EQ(kind_of("a IS NULL"), ExpressionKind::IsNull);
  EXPECT_EQ(kind_of("a is missing"), ExpressionKind::IsMissing);
  EXPECT_EQ(kind_of("a"), ExpressionKind::Truth);
  for (const char* negated : {"a NOT IN (1)", "a NOT LIKE 'x'", "a IS NOT NULL", "a IS NOT MISSING", "NOT a",
                              "NOT NOT NOT a", "NOT (NOT (NOT a))"}) {
    EXPECT_EQ(kind_of(negated), ExpressionKind::Not) << negated;
  }
  EXPECT_EQ(kind_of("NOT NOT a"), ExpressionKind::Truth);
}

TEST(Parser, PutsParametersInPlace) {
  const auto select = parsed<SelectStatement>("SELECT * FROM c WHERE a = :x AND b IN (:y, 3) LIMIT :n",
                                              {{"x", Bytes{1}}, {"y", Array{1, 2}}, {"n", 3}});
  EXPECT_EQ(literal(select.where->children[0].operands[1]), Value(Bytes{1}));
  EXPECT_EQ(literal(select.where->children[1].operands[1]), Value(Array{1, 2}));
  EXPECT_EQ(select.limit, 3);
}

TEST(Parser, ReadsDocumentsAsParametersAndAsLiterals) {
  const auto insert = parsed<InsertStatement>(
      R"(INSERT INTO c DOCUMENTS (:d), ({"_id": "x", title: 'Buy "milk"', "tags": ["a\n\u00e9", 'b', [], {}], n: -1.5,
         'done': true, sub: {deep: :p}}) ON ID CONFLICT DO UPDATE)",
      {{"d", Map{{"a", 1}}}, {"p", "q"}});
  ASSERT_EQ(insert.documents.size(), 2u);
  EXPECT_EQ(insert.documents[0], (Map{{"a", 1}}));
  EXPECT_EQ(insert.documents[1], (Map{{"_id", "x"},
                                      {"title", "Buy \"milk\""},
                                      {"tags", Array{"a\n\u00e9", "b", Array{}, Map{}}},
                                      {"n", -1.5},
                                      {"done", true},
                                      {"sub", Map{{"deep", "q"}}}}));
  EXPECT_EQ(insert.on_conflict, OnConflict::DoUpdate);
  const Map d{{"d", Map{}}};
  EXPECT_EQ(parsed<InsertStatement>("INSERT INTO c DOCUMENTS (:d)", d).on_conflict, OnConflict::Fail);
  EXPECT_EQ(parsed<InsertStatement>("INSERT INTO c DOCUMENTS (:d) on id conflict fail", d).on_conflict,
            OnConflict::Fail);
  EXPECT_EQ(parsed<InsertStatement>("INSERT INTO c DOCUMENTS (:d) ON ID CONFLICT DO NOTHING", d).on_conflict,
            OnConflict::DoNothing);
}

TEST(Parser, ReadsUpdatesAndDeletes) {
  const auto update = parsed<UpdateStatement>("UPDATE c SET a.b = 1, c = other.field, d = {x: [1]} WHERE _id = 'x'");
  ASSERT_EQ(update.assignments.size(), 3u);
  EXPECT_EQ(update.assignments[0].path, (crdt::Path{"a", "b"}));
  EXPECT_EQ(path(update.assignments[1].value), (crdt::Path{"other", "field"}));
  EXPECT_EQ(literal(update.assignments[2].value), Value(Map{{"x", Array{1}}}));
  EXPECT_NE(update.where, nullptr);
  EXPECT_EQ(parsed<DeleteStatement>("DELETE FROM c").where, nullptr);
  EXPECT_NE(parsed<DeleteStatement>("delete from c where a").where, nullptr);
}

TEST(Parser, ReadsIncrements) {
  const auto update = parsed<UpdateStatement>("update c increment likes by 1, a.b BY -2, m BY other WHERE x");
  EXPECT_EQ(update.assignments[0].kind, AssignmentKind::Increment);
  ASSERT_EQ(update.assignments.size(), 3u);
  EXPECT_EQ(update.assignments[1].path, (crdt::Path{"a", "b"}));
  EXPECT_EQ(path(update.assignments[2].value), (crdt::Path{"other"}));
  EXPECT_NE(update.where, nullptr);
}

TEST(Parser, ShowsASyntaxErrorUnderTheSourceLine) {
  const Error error = refused("SELECT * FROM tasks\nWHERE done =\tAND x");
  EXPECT_EQ(error.code, ErrorCode::Syntax);
  EXPECT_EQ(error.message,
            "expected a value: a number, 'text', true, false, null, a :parameter or a field at line 2, column 14:\n"
            "  WHERE done =\tAND x\n"
            "              \t^");
}

TEST(Parser, CountsColumnsInCharacters) {
  const Error error = refused("SELECT * FROM \"größe€\" WHER x");
  EXPECT_THAT(error.message, testing::HasSubstr("line 1, column 24:\n"));
  EXPECT_THAT(error.message, testing::EndsWith("WHER x\n  " + std::string(23, ' ') + "^"));
}

TEST(Parser, ShowsOnlyThePartOfALongLineAroundTheError) {
  const Error error =
      refused("SELECT * FROM c WHERE a = '" + std::string(5000, 'x') + "' AND é ? " + std::string(5000, 'y'));
  EXPECT_LT(error.message.size(), 400u);
  EXPECT_THAT(error.message, testing::HasSubstr("AND é ? yyy"));
}

struct Fault {
  const char* statement;
  int column;  // where the caret stands
  const char* expected;
};

TEST(Parser, SaysWhatItExpectedAndWhere) {
  const Fault faults[] = {
      {"", 1, "SELECT, INSERT, UPDATE, DELETE, EVICT, CREATE INDEX"},
      {"DROP TABLE x", 6, "INDEX"},
      {"SELECT FROM c", 8, "* or what to select"},
      {"SELECT a, FROM c", 11, "what to select"},
      {"SELECT a AS from FROM c", 13, "a name for the value"},
      {"SELECT count(a FROM c", 16, "a comma or )"},
      {"SELECT a[ FROM c", 11, "the number of an element"},
      {"SELECT a + FROM c", 12, "a value"},
      {"SELECT * FROM c GROUP a", 23, "BY"},
      {"SELECT * FROM c JOIN d", 23, "ON"},
      {"SELECT * FROM c WHERE ANY x IN a", 33, "SATISFIES"},
      {"SELECT * FROM c WHERE ANY x IN a SATISFIES x = 1", 49, "END"},
      {"SELECT * FROM c WHERE a BETWEEN 1", 34, "AND"},
      {"CREATE INDEX ON c (a)", 14, "a name for the index"},
      {"CREATE INDEX i ON c ()", 22, "a field to index"},
      {"SELECT * c", 10, "FROM"},
      {"SELECT * FROM", 14, "the name of a collection"},
      {"SELECT * FROM where", 15, "the name of a collection"},
      {"SELECT * FROM c WHER a = 1", 17, "the end of the statement"},
      {"SELECT * FROM c WHERE", 22, "a condition"},
      {"SELECT * FROM c WHERE a = 1 AND", 32, "a condition"},
      {"SELECT * FROM c WHERE (a = 1", 29, ")"},
      {"SELECT * FROM c WHERE a = 'x", 29, "a closing quote"},
      {"SELECT * FROM c WHERE a.= 1", 25, "the name of a field"},
      {"SELECT * FROM c WHERE a IN", 27, "a list in parentheses, or an array"},
      {"SELECT * FROM c WHERE a IS 1", 28, "NULL or MISSING"},
      {"SELECT * FROM c WHERE a LIKE 1", 30, "a pattern"},
      {"SELECT * FROM c WHERE a = : x", 28, "the name of a parameter"},
      {"SELECT * FROM c ORDER a", 23, "BY"},
      {"SELECT * FROM c ORDER BY", 25, "a field to order by"},
      {"SELECT * FROM c LIMIT x", 23, "a number"},
      {"SELECT * FROM c; SELECT * FROM c", 18, "the end of the statement"},
      {"INSERT INTO c VALUES (1)", 15, "DOCUMENTS"},
      {"INSERT INTO c DOCUMENTS ()", 26, "a document"},
      {"INSERT INTO c DOCUMENTS ({a 1})", 29, "a colon"},
      {"INSERT INTO c DOCUMENTS ({a: })", 30, "a value"},
      {"INSERT INTO c DOCUMENTS ({a: 1,})", 32, "the name of a field"},
      {"INSERT INTO c DOCUMENTS ({a: [1, }])", 34, "a value"},
      {"INSERT INTO c DOCUMENTS ({}) ON ID CONFLICT DO IT", 48, "NOTHING, UPDATE or UPDATE_LOCAL_DIFF"},
      {"UPDATE c SET a", 15, "="},
      {"UPDATE c a = 1", 10, "SET, UNSET or INCREMENT"},
      {"UPDATE c INCREMENT a = 1", 22, "BY"},
      {"DELETE c", 8, "FROM"},
  };
  for (const Fault& fault : faults) {
    const Error error = refused(fault.statement);
    EXPECT_EQ(error.code, ErrorCode::Syntax) << fault.statement;
    EXPECT_THAT(error.message, testing::HasSubstr("column " + std::to_string(fault.column) + ":")) << fault.statement;
    EXPECT_THAT(error.message, testing::StartsWith("expected " + std::string(fault.expected))) << fault.statement;
    EXPECT_THAT(error.message,
                testing::EndsWith("\n" + std::string(static_cast<std::size_t>(fault.column) + 1, ' ') + "^"));
  }
}

TEST(Parser, RefusesWhatCanNeverWork) {
  for (const char* statement : {
           "SELECT * FROM c WHERE a = :absent",
           "SELECT * FROM c LIMIT -1",
           "SELECT * FROM c LIMIT 1.5",
           "SELECT * FROM __system",
           "SELECT * FROM \"\"",
           "SELECT * FROM c WHERE a = 1e999",
           "UPDATE c SET _id = 'x'",
           "UPDATE c SET _id.x = 1",
           "UPDATE c SET a = 1, a = 2",
           "UPDATE c SET a.b = 1, a = 2",
           "UPDATE c INCREMENT a BY 1, a BY 2",
           "UPDATE c INCREMENT _id BY 1",
           "INSERT INTO c DOCUMENTS ({a: 1, 'a': 2})",
           "INSERT INTO c DOCUMENTS (:number)",
       }) {
    EXPECT_EQ(refused(statement, {{"number", 1}}).code, ErrorCode::InvalidArgument) << statement;
  }
  EXPECT_EQ(refused("SELECT * FROM " + std::string(129, 'c')).code, ErrorCode::InvalidArgument);
  EXPECT_EQ(refused("SELECT * FROM c WHERE a LIKE :p", {{"p", 1}}).code, ErrorCode::InvalidArgument);
  EXPECT_EQ(refused("SELECT * FROM c WHERE a = '\xff'").code, ErrorCode::Syntax);
}

std::string repeated(std::string_view part, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += part;
  return out;
}

TEST(Parser, AllowsSixtyFourLevelsOfNestingAndNoMore) {
  const auto nested = [](std::size_t levels) {
    return "SELECT * FROM c WHERE " + repeated("(", levels) + "a" + repeated(")", levels);
  };
  EXPECT_TRUE(parse_statement(nested(64), {}));
  EXPECT_EQ(refused(nested(65)).code, ErrorCode::LimitExceeded);
}

TEST(Parser, AllowsTwoHundredOperatorsInAnExpressionAndNoMore) {
  const std::string start = "SELECT * FROM c WHERE ";
  const std::string too_many = "an expression has more than 200 operators; compute it in steps at line 1, column ";
  for (const std::string sign : {"- ", "NOT "}) {
    EXPECT_TRUE(parse_statement(start + repeated(sign, 200) + "a", {})) << sign;
    const Error refusal = refused(start + repeated(sign, 201) + "a");
    EXPECT_EQ(refusal.code, ErrorCode::LimitExceeded) << sign;
    EXPECT_TRUE(refusal.message.starts_with(too_many)) << refusal.message;
  }
}

TEST(Parser, SurvivesHostileNesting) {
  const std::string start = "SELECT * FROM c WHERE ";
  for (const std::string& text : {
           start + repeated("(", 60'000),
           start + repeated("NOT (", 10'000),
           start + "a = " + repeated("[", 60'000),
           start + "a = " + repeated("{a:", 20'000),
           start + "a = [\"\\\"\", " + repeated("[", 60'000),
       }) {
    EXPECT_EQ(refused(text).code, ErrorCode::LimitExceeded) << text.substr(0, 60);
  }
  EXPECT_EQ(refused(start + "a" + repeated(".a", 10'000)).code, ErrorCode::LimitExceeded);
  EXPECT_EQ(refused(start + "a IN (1" + repeated(",1", 30'000) + ")").code, ErrorCode::LimitExceeded);
  EXPECT_EQ(refused(start + "a LIKE '" + repeated("%a", 600) + "'").code, ErrorCode::LimitExceeded);
  EXPECT_EQ(refused(std::string(2 << 20, ' ')).code, ErrorCode::LimitExceeded);
  EXPECT_EQ(refused(start + repeated("NOT ", 10'000) + "a").code, ErrorCode::LimitExceeded);
  EXPECT_TRUE(parse_statement(start + "a" + repeated(" AND a", 9'000), {}));
}

}  // namespace
}  // namespace fermata::query
