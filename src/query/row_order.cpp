#include "query/row_order.hpp"

#include "query/aggregate.hpp"

namespace fermata::query {
namespace {

std::weak_ordering compare_by(const OrderTerm& term, const DocumentView& left, const DocumentView& right) {
  const auto* path = std::get_if<crdt::Path>(&term.value);
  if (path == nullptr) {
    return compare_for_order(evaluate(term.value, left), evaluate(term.value, right), term.direction);
  }
  // A field needs no copy.
  const MapSource a(left), b(right);
  return compare_for_order(a.find(*path), b.find(*path), term.direction);
}

}  // namespace

std::weak_ordering compare_rows(const std::vector<OrderTerm>& order, const DocumentView& left,
                                const DocumentView& right) {
  for (const OrderTerm& term : order) {
    const auto found = compare_by(term, left, right);
    if (found != 0) return found;
  }
  return left.id <=> right.id;
}

}  // namespace fermata::query
