// Random documents and conditions over few names and values, so that they meet.
#pragma once

#include <rapidcheck.h>

#include <algorithm>
#include <limits>

#include "query/functions.hpp"
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

inline rc::Gen<Expression> generate_expression(int depth, std::size_t variables = 0);

// A function of two or three levels; of literals alone it is computed, as the parser does. `variables`: how many ANY
// and EVERY are around it.
inline rc::Gen<Operand> generate_operand(int depth = 1, std::size_t variables = 0);

inline rc::Gen<Operand> generate_call(int depth, std::size_t variables) {
  return rc::gen::exec([depth, variables]() -> Operand {
    Expression made{.kind = ExpressionKind::Call};
    const auto all = functions();
    made.function = &all[*rc::gen::inRange<std::size_t>(0, all.size())];
    const auto most = std::min<std::size_t>(made.function->most, 3);
    const auto count = *rc::gen::inRange<std::size_t>(made.function->least, most + 1);
    for (std::size_t i = 0; i < count; ++i) made.operands.push_back(*generate_operand(depth - 1, variables));
    if (made.function->notation == Notation::Member) made.operands[1] = Value(*generate_name());
    std::vector<const Value*> literals;
    for (const Operand& operand : made.operands) {
      if (const auto* literal = std::get_if<Value>(&operand)) literals.push_back(literal);
    }
    if (literals.size() == made.operands.size()) {
      if (auto value = call(*made.function, literals)) return std::move(*value);
    }
    return std::make_shared<const Expression>(std::move(made));
  });
}

inline rc::Gen<Operand> generate_operand(int depth, std::size_t variables) {
  const auto path = rc::gen::map(generate_path(), [](crdt::Path each) { return Operand(std::move(each)); });
  const auto literal = rc::gen::map(generate_field(1), [](Value value) { return Operand(std::move(value)); });
  const auto variable = rc::gen::map(rc::gen::inRange<std::size_t>(0, std::max<std::size_t>(variables, 1)),
                                     [](std::size_t number) { return Operand(Variable{number}); });
  if (depth == 0)
    return rc::gen::weightedOneOf<Operand>({{3, path}, {3, literal}, {variables > 0 ? 4u : 0u, variable}});
  const auto condition =
      rc::gen::map(rc::gen::lazy([=] { return generate_expression(depth - 1, variables); }),
                   [](Expression each) -> Operand { return std::make_shared<const Expression>(std::move(each)); });
  const auto computed = rc::gen::lazy([=] { return generate_call(depth, variables); });
  return rc::gen::weightedOneOf<Operand>(
      {{6, path}, {6, literal}, {variables > 0 ? 8u : 0u, variable}, {3, computed}, {1, condition}});
}

inline rc::Gen<Operand> generate_pattern() {
  return rc::gen::element<Operand>(Value(nullptr), Value(""), Value("%"), Value("a%"), Value("_"), Value("%b"),
                                   Value("A_"), Value("_%_"), Value("%a%b%"), Value("é"));
}

// ANY or EVERY about a field, or an array that is written out.
inline rc::Gen<Expression> generate_quantified(std::size_t variables) {
  return rc::gen::exec([variables] {
    Expression made;
    made.kind = *rc::gen::element(ExpressionKind::Any, ExpressionKind::Every);
    made.name = "v" + std::to_string(variables);
    if (*rc::gen::arbitrary<bool>()) {
      Array array = *rc::gen::resize(3, rc::gen::container<Array>(generate_field(1)));
      made.operands.emplace_back(Value(std::move(array)));
    } else {
      made.operands.push_back(*generate_operand(1, variables));
    }
    made.children.push_back(*generate_expression(1, variables + 1));
    return made;
  });
}

inline rc::Gen<Expression> generate_condition(std::size_t variables) {
  return rc::gen::exec([variables] {
    Expression made;
    made.kind = *rc::gen::elementOf(std::vector<ExpressionKind>{
        ExpressionKind::Compare, ExpressionKind::Compare, ExpressionKind::Compare, ExpressionKind::In,
        ExpressionKind::Like, ExpressionKind::IsNull, ExpressionKind::IsMissing, ExpressionKind::Truth});
    made.operands.push_back(*generate_operand(2, variables));
    if (made.kind == ExpressionKind::Compare) {
      made.comparison = static_cast<Comparison>(*rc::gen::inRange(0, 6));
      made.operands.push_back(*generate_operand(1, variables));
    } else if (made.kind == ExpressionKind::Like) {
      made.operands.push_back(*generate_pattern());
    } else if (made.kind == ExpressionKind::In) {
      for (int i = *rc::gen::inRange(1, 4); i > 0; --i) made.operands.push_back(*generate_operand(1, variables));
    }
    return made;
  });
}

inline rc::Gen<Expression> generate_expression(int depth, std::size_t variables) {
  if (depth == 0) return generate_condition(variables);
  const auto inner = [depth, variables] { return generate_expression(depth - 1, variables); };
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
  const auto quantified = rc::gen::lazy([variables] { return generate_quantified(variables); });
  return rc::gen::weightedOneOf<Expression>(
      {{3, generate_condition(variables)}, {2, joined}, {1, negated}, {variables < 2 ? 1u : 0u, quantified}});
}

}  // namespace fermata::query
