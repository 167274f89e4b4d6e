#include "query/builder.hpp"
#include "query/functions.hpp"
#include "query/grammar.hpp"
#include "query/literals.hpp"
#include "query/scalar.hpp"

namespace fermata::query {
namespace {

namespace g = grammar;

// Not of Not is the same in three-valued logic too.
Expression negate(Expression inner) {
  if (inner.kind == ExpressionKind::Not) {
    Expression child = std::move(inner.children.front());
    return child;
  }
  Expression negated{.kind = ExpressionKind::Not};
  negated.children.push_back(std::move(inner));
  return negated;
}

Expression truth_of(Operand operand) {
  Expression made{.kind = ExpressionKind::Truth};
  made.operands.push_back(std::move(operand));
  return made;
}

Comparison comparison_of(std::string_view sign) {
  if (sign == "!=" || sign == "<>") return Comparison::NotEqual;
  if (sign == "<") return Comparison::Less;
  if (sign == "<=") return Comparison::LessOrEqual;
  if (sign == ">") return Comparison::Greater;
  if (sign == ">=") return Comparison::GreaterOrEqual;
  return Comparison::Equal;
}

Expression compare(Comparison comparison, Operand left, Operand right) {
  Expression made{.kind = ExpressionKind::Compare, .comparison = comparison};
  made.operands = {std::move(left), std::move(right)};
  return made;
}

// We put parentheses around the text of a search, and it shall not get out of them.
bool is_balanced(std::string_view search) {
  bool is_quoted = false;
  std::size_t depth = 0;
  for (const char c : search) {
    if (c == '"') is_quoted = !is_quoted;
    if (is_quoted) continue;
    if (c == '(') ++depth;
    if (c == ')' && depth-- == 0) return false;
  }
  return !is_quoted && depth == 0;
}

bool is_negated(const Node& tail) {
  return !tail.children.empty() && tail.children.front()->is_type<g::k_not>();
}

}  // namespace

Where Builder::condition_tree(const Node& node) {
  chained_ = 0;
  return std::make_shared<const Expression>(condition(node));
}

Expression Builder::condition(const Node& node) {
  if (node.is_type<g::expression>()) return chain(ExpressionKind::Or, node);
  if (node.is_type<g::conjunction>()) return chain(ExpressionKind::And, node);
  if (node.is_type<g::negation>()) return negation(node);
  if (node.is_type<g::condition>()) return compared(node);
  if (node.is_type<g::quantified>()) return quantified(node);
  return truth_of(operand(node));
}

// Chains inside chains of their own kind are flattened, so that parentheses without effect do not count.
Expression Builder::chain(ExpressionKind kind, const Node& node) {
  Expression joined{.kind = kind};
  for (const auto& child : node.children) {
    Expression part = condition(*child);
    if (part.kind != kind) {
      joined.children.push_back(std::move(part));
      continue;
    }
    for (Expression& inner : part.children) joined.children.push_back(std::move(inner));
  }
  return joined;
}

// Only those in a row count: what AND and OR join stands side by side, and may be as much as there are values.
Expression Builder::negation(const Node& node) {
  if (node.children.size() - 1 > kMaxChain) refuse_chain(*node.children[kMaxChain]);
  Expression inner = condition(*node.children.back());
  return node.children.size() % 2 == 1 ? std::move(inner) : negate(std::move(inner));
}

Expression Builder::compared(const Node& node) {
  const Node& left = *node.children[0];
  const Node& tail = *node.children[1];
  if (tail.is_type<g::compare>()) {
    return compare(comparison_of(tail.children[0]->string_view()), operand(left), operand(*tail.children[1]));
  }
  if (tail.is_type<g::matching>()) return match(left, tail);
  if (tail.is_type<g::contains>()) {
    return truth_of(apply(tail, "contains", {operand(left), operand(*tail.children.front())}));
  }
  Expression made;
  if (tail.is_type<g::in>()) {
    made = listed(left, tail);
  } else if (tail.is_type<g::between>()) {
    made = between(left, tail);
  } else {
    made.operands.push_back(operand(left));
    if (tail.is_type<g::is>()) {
      made.kind = tail.children.back()->is_type<g::k_null>() ? ExpressionKind::IsNull : ExpressionKind::IsMissing;
    } else {
      made.kind = ExpressionKind::Like;
      made.operands.push_back(operand(*tail.children.back()));
      check_pattern(made.operands.back());
    }
  }
  return is_negated(tail) ? negate(std::move(made)) : made;
}

// One array in the parentheses, or none around it, is the list itself: IN (:ids) is what people write.
Expression Builder::listed(const Node& needle, const Node& tail) {
  const Node& what = *tail.children.back();
  std::vector<Operand> list;
  for (const auto& child : what.children) list.push_back(operand(*child));
  const auto* literal = list.size() == 1 ? std::get_if<Value>(&list.front()) : nullptr;
  const auto* array = literal == nullptr ? nullptr : literal->if_a<Array>();
  if (what.is_type<g::in_array>() && array == nullptr) {
    return truth_of(apply(tail, "array_contains", {std::move(list.front()), operand(needle)}));
  }
  if (array != nullptr) {
    std::vector<Operand> elements(array->begin(), array->end());
    list = std::move(elements);
  }
  if (list.empty()) return truth_of(Value(false));  // nothing is among nothing
  if (list.size() > kMaxOperands) {
    refuse(ErrorCode::LimitExceeded, "IN has more than 10000 values; split it into several");
  }
  Expression made{.kind = ExpressionKind::In};
  made.operands.push_back(operand(needle));
  for (Operand& each : list) made.operands.push_back(std::move(each));
  return made;
}

Expression Builder::between(const Node& value, const Node& tail) {
  const std::size_t first = is_negated(tail) ? 1 : 0;
  Expression both{.kind = ExpressionKind::And};
  both.children.push_back(compare(Comparison::GreaterOrEqual, operand(value), operand(*tail.children[first])));
  both.children.push_back(compare(Comparison::LessOrEqual, operand(value), operand(*tail.children[first + 1])));
  return both;
}

Expression Builder::match(const Node& field, const Node& tail) {
  Expression made{.kind = ExpressionKind::Match};
  if (!field.is_type<g::path>()) {
    refuse_at(field, ErrorCode::Syntax, "MATCH needs the name of a full-text index, or of a field that one has");
    return made;
  }
  crdt::Path names = path(field);
  if (names_.aliases.size() > 1 && names.size() > 1 && names.front() == names_.aliases.front()) {
    names.erase(names.begin());
  }
  made.name = path_text(names);
  made.operands.push_back(operand(*tail.children.front()));
  const auto* text = std::get<Value>(made.operands.front()).if_a<std::string>();
  if (text == nullptr) refuse_at(tail, ErrorCode::InvalidArgument, "MATCH looks for a text; this is none");
  if (text != nullptr && !is_balanced(*text)) {
    refuse_at(tail, ErrorCode::Syntax, "the text of MATCH has a double quote or a parenthesis without its other half");
  }
  return made;
}

// Only the index knows what matches, and only WHERE asks it; what we compute ourselves cannot hold a search.
void Builder::refuse_search(const Node& node, const Expression& condition) {
  if (!searches_text(condition)) return;
  refuse_at(
      node, ErrorCode::InvalidArgument,
      "MATCH is answered by a full-text index; it can stand in WHERE with AND, OR and NOT around it, and nothing else");
}

Expression Builder::quantified(const Node& node) {
  Expression made{.kind = node.children[0]->is_type<g::k_any>() ? ExpressionKind::Any : ExpressionKind::Every};
  made.name = name(*node.children[1]->children.front());
  made.operands.push_back(operand(*node.children[2]));
  if (names_.variables.size() == kMaxQuantifiers) {
    refuse_at(node, ErrorCode::LimitExceeded, "ANY and EVERY stand in one another more than 4 times");
  }
  names_.variables.push_back(made.name);
  made.children.push_back(condition(*node.children[3]));
  refuse_search(*node.children[3], made.children.front());
  names_.variables.pop_back();
  return made;
}

// Matching costs the product of both lengths, and a peer chooses both.
void Builder::check_pattern(const Operand& pattern) {
  const auto& value = std::get<Value>(pattern);
  const auto* text = value.if_a<std::string>();
  if (text == nullptr && !counts_as_null(value))
    refuse(ErrorCode::InvalidArgument, "LIKE needs a pattern that is text");
  if (text != nullptr && text->size() > kMaxPatternBytes) {
    refuse(ErrorCode::LimitExceeded, "a LIKE pattern is longer than 1024 bytes");
  }
}

}  // namespace fermata::query
