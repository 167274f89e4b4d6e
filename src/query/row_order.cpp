#include "query/row_order.hpp"

#include "query/aggregate.hpp"

namespace fermata::query {
namespace {

struct Key {
  bool missing = true;
  Scalar scalar = Null{};
};

Key key_at(const crdt::Path& path, const DocumentView& document) {
  if (is_id(path)) return {false, document.id};
  if (path.front() == kIdField) return {};
  const Value* value = value_at(document.fields, path);
  return value == nullptr ? Key{} : Key{false, to_scalar(*value)};
}

std::weak_ordering compare_keys(const Key& left, const Key& right, Direction direction) {
  if (left.missing || right.missing) return left.missing <=> right.missing;
  const bool left_null = std::holds_alternative<Null>(left.scalar);
  const bool right_null = std::holds_alternative<Null>(right.scalar);
  const std::weak_ordering ascending =
      left_null || right_null ? std::weak_ordering(right_null <=> left_null) : *compare(left.scalar, right.scalar);
  return direction == Direction::Descending ? 0 <=> ascending : ascending;
}

}  // namespace

std::weak_ordering compare_rows(const std::vector<OrderTerm>& order, const DocumentView& left,
                                const DocumentView& right) {
  for (const OrderTerm& term : order) {
    const auto* path = std::get_if<crdt::Path>(&term.value);
    const auto found = path != nullptr
                           ? compare_keys(key_at(*path, left), key_at(*path, right), term.direction)
                           : compare_for_order(evaluate(term.value, left), evaluate(term.value, right), term.direction);
    if (found != 0) return found;
  }
  return left.id <=> right.id;
}

}  // namespace fermata::query
