#include "query/matcher.hpp"

namespace fermata::query {
namespace {

enum class Presence : std::uint8_t { Missing, Null, Present };

// What an operand is in a document, without copying it.
struct Found {
  Presence presence = Presence::Missing;
  Scalar scalar = Null{};
};

Found found(const Value& value) {
  return {value.is_null() ? Presence::Null : Presence::Present, to_scalar(value)};
}

Found find(const Operand& operand, const DocumentView& document) {
  if (const auto* literal = std::get_if<Value>(&operand)) return found(*literal);
  const auto& path = std::get<crdt::Path>(operand);
  if (is_id(path)) return {Presence::Present, document.id};
  if (path.front() == kIdField) return {};
  const Value* value = value_at(document.fields, path);
  return value == nullptr ? Found{} : found(*value);
}

bool holds(Comparison comparison, std::weak_ordering order) {
  switch (comparison) {
    case Comparison::Equal:
      return order == 0;
    case Comparison::NotEqual:
      return order != 0;
    case Comparison::Less:
      return order < 0;
    case Comparison::LessOrEqual:
      return order <= 0;
    case Comparison::Greater:
      return order > 0;
    case Comparison::GreaterOrEqual:
      return order >= 0;
  }
  return false;
}

Truth compare_in(const Expression& node, const DocumentView& document) {
  const auto order = compare(find(node.operands[0], document).scalar, find(node.operands[1], document).scalar);
  return order ? truth(holds(node.comparison, *order)) : Truth::Unknown;
}

Truth listed_in(const Expression& node, const DocumentView& document) {
  const Scalar needle = find(node.operands[0], document).scalar;
  Truth result = Truth::False;
  for (std::size_t i = 1; i < node.operands.size(); ++i) {
    const auto order = compare(needle, find(node.operands[i], document).scalar);
    if (!order) {
      result = Truth::Unknown;
    } else if (*order == 0) {
      return Truth::True;
    }
  }
  return result;
}

// `decisive` ends the search: False for AND, True for OR.
Truth combine(const Expression& node, const DocumentView& document, Truth decisive) {
  Truth result = negate(decisive);
  for (const Expression& child : node.children) {
    const Truth part = evaluate(child, document);
    if (part == decisive) return decisive;
    if (part == Truth::Unknown) result = Truth::Unknown;
  }
  return result;
}

}  // namespace

const Value* value_at(const Map& fields, const crdt::Path& path) {
  const Map* level = &fields;
  const Value* value = nullptr;
  for (const std::string& name : path) {
    if (level == nullptr) return nullptr;
    const auto entry = level->find(name);
    if (entry == level->end()) return nullptr;
    value = &entry->second;
    level = value->if_a<Map>();
  }
  return value;
}

std::optional<Value> evaluate(const Operand& operand, const DocumentView& document) {
  if (const auto* literal = std::get_if<Value>(&operand)) return *literal;
  const auto& path = std::get<crdt::Path>(operand);
  if (is_id(path)) return Value(document.id);
  if (path.front() == kIdField) return std::nullopt;
  const Value* value = value_at(document.fields, path);
  return value == nullptr ? std::nullopt : std::optional<Value>(*value);
}

Truth evaluate(const Expression& node, const DocumentView& document) {
  switch (node.kind) {
    case ExpressionKind::And:
      return combine(node, document, Truth::False);
    case ExpressionKind::Or:
      return combine(node, document, Truth::True);
    case ExpressionKind::Not:
      return negate(evaluate(node.children.front(), document));
    case ExpressionKind::Compare:
      return compare_in(node, document);
    case ExpressionKind::In:
      return listed_in(node, document);
    case ExpressionKind::Like:
      return like(find(node.operands[0], document).scalar, find(node.operands[1], document).scalar);
    case ExpressionKind::IsNull:
      return truth(find(node.operands[0], document).presence == Presence::Null);
    case ExpressionKind::IsMissing:
      return truth(find(node.operands[0], document).presence == Presence::Missing);
    case ExpressionKind::Truth:
      return truth_of(find(node.operands[0], document).scalar);
  }
  return Truth::False;
}

bool matches(const Where& where, const DocumentView& document) {
  return where == nullptr || evaluate(*where, document) == Truth::True;
}

}  // namespace fermata::query
