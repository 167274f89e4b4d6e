// Random documents and conditions over few names and values, so that they meet.
#pragma once

#include <rapidcheck.h>

#include <limits>

#include "query/literals.hpp"
#include "query/matcher.hpp"

// How rapidcheck prints a counterexample.
namespace fermata {
inline void showValue(const Map& map, std::ostream& out) {
  out << to_json(Value(map));
}
namespace query {
inline void showValue(const Expression& expression, std::ostream& out) {
  out << write_select("c", std::make_shared<const Expression>(expression)).value_or("(has no text)");
}
}  // namespace query
}  // namespace fermata

namespace fermata::query {

inline rc::Gen<std::string> generate_name() {
  return rc::gen::element<std::string>("a", "b", "c", "a.b", "\"x\"", "é");
}

inline rc::Gen<Value> generate_scalar() {
  const auto at = [](const char* text) { return Timestamp::parse(text).value(); };
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return rc::gen::element<Value>(
      nullptr, true, false, 0, 1, -1, 2, 9007199254740992, 9007199254740993, std::numeric_limits<std::int64_t>::max(),
      std::numeric_limits<std::int64_t>::min(), 0.0, -0.0, 1.0, 1.5, -1.5, 9007199254740992.0, 9223372036854775808.0,
      -9223372036854775808.0, 1e300, kInfinity, -kInfinity, std::numeric_limits<double>::quiet_NaN(), "", "a", "A",
      "ab", "aB", "1", "1.0", "é", "%", "it's", std::string("a\0b", 3), Bytes{}, Bytes{0}, Bytes{0x61}, Bytes{0xff},
      at("2026-11-23T19:40:26Z"), at("2026-11-23T19:40:26.001Z"), at("0001-01-01T00:00:00Z"),
      "2026-11-23T19:40:26.000Z", Attachment::make({1}, 5).value(), Attachment::make({1}, 5, {{"a", "b"}}).value());
}

inline rc::Gen<Value> generate_field(int depth) {
  if (depth == 0) return generate_scalar();
  const auto inner = rc::gen::lazy([depth] { return generate_field(depth - 1); });
  const auto array = rc::gen::map(rc::gen::resize(3, rc::gen::container<Array>(inner)),
                                  [](Array elements) { return Value(std::move(elements)); });
  const auto map = rc::gen::map(rc::gen::resize(3, rc::gen::container<Map>(generate_name(), inner)),
                                [](Map fields) { return Value(std::move(fields)); });
  return rc::gen::weightedOneOf<Value>({{6, generate_scalar()}, {1, array}, {2, map}});
}

inline rc::Gen<Map> generate_document() {
  return rc::gen::resize(5, rc::gen::container<Map>(generate_name(), generate_field(2)));
}

inline rc::Gen<crdt::Path> generate_path() {
  const auto fields = rc::gen::resize(2, rc::gen::nonEmpty(rc::gen::container<crdt::Path>(generate_name())));
  return rc::gen::weightedOneOf<crdt::Path>(
      {{8, fields}, {2, rc::gen::just(crdt::Path{"_id"})}, {1, rc::gen::just(crdt::Path{"_id", "a"})}});
}

inline rc::Gen<Operand> generate_operand() {
  return rc::gen::oneOf(rc::gen::map(generate_path(), [](crdt::Path path) { return Operand(std::move(path)); }),
                        rc::gen::map(generate_field(1), [](Value value) { return Operand(std::move(value)); }));
}

inline rc::Gen<Operand> generate_pattern() {
  return rc::gen::element<Operand>(Value(nullptr), Value(""), Value("%"), Value("a%"), Value("_"), Value("%b"),
                                   Value("A_"), Value("_%_"), Value("%a%b%"), Value("é"));
}

inline rc::Gen<Expression> generate_condition() {
  return rc::gen::exec([] {
    Expression made;
    made.kind = *rc::gen::elementOf(std::vector<ExpressionKind>{
        ExpressionKind::Compare, ExpressionKind::Compare, ExpressionKind::Compare, ExpressionKind::In,
        ExpressionKind::Like, ExpressionKind::IsNull, ExpressionKind::IsMissing, ExpressionKind::Truth});
    made.operands.push_back(*generate_operand());
    if (made.kind == ExpressionKind::Compare) {
      made.comparison = static_cast<Comparison>(*rc::gen::inRange(0, 6));
      made.operands.push_back(*generate_operand());
    } else if (made.kind == ExpressionKind::Like) {
      made.operands.push_back(*generate_pattern());
    } else if (made.kind == ExpressionKind::In) {
      for (int i = *rc::gen::inRange(1, 4); i > 0; --i) made.operands.push_back(*generate_operand());
    }
    return made;
  });
}

inline rc::Gen<Expression> generate_expression(int depth) {
  if (depth == 0) return generate_condition();
  const auto inner = [depth] { return generate_expression(depth - 1); };
  const auto joined = rc::gen::exec([inner] {
    Expression made;
    made.kind = *rc::gen::elementOf(std::vector<ExpressionKind>{ExpressionKind::And, ExpressionKind::Or});
    for (int i = *rc::gen::inRange(2, 4); i > 0; --i) made.children.push_back(*inner());
    return made;
  });
  const auto negated = rc::gen::map(rc::gen::lazy(inner), [](Expression child) {
    Expression made;
    made.kind = ExpressionKind::Not;
    made.children.push_back(std::move(child));
    return made;
  });
  return rc::gen::weightedOneOf<Expression>({{3, generate_condition()}, {2, joined}, {1, negated}});
}

}  // namespace fermata::query
