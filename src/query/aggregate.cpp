#include "query/aggregate.hpp"

#include <cmath>

#include "base/cbor.hpp"

namespace fermata::query {
namespace {

// Missing is another than null.
Bytes group_key(const Groups::Slots& keys) {
  Bytes joined;
  for (const auto& key : keys) {
    CborWriter part;
    part.array(key ? 1 : 0);
    for (const Bytes& bytes : {part.take(), key ? distinct_key(*key) : Bytes()}) {
      joined.insert(joined.end(), bytes.begin(), bytes.end());
    }
  }
  return joined;
}

}  // namespace

void Accumulator::take(const Scope& scope) {
  if (aggregate_->kind == AggregateKind::CountRows) {
    ++count_;
    return;
  }
  auto value = evaluate(aggregate_->value, scope);
  const bool is_nothing = !value || std::holds_alternative<Null>(to_scalar(*value));
  if (is_nothing) return;
  if (aggregate_->repetition == Repetition::Distinct && !seen_.insert(distinct_key(*value)).second) return;
  take(std::move(*value));
}

void Accumulator::take(Value value) {
  ++count_;
  switch (aggregate_->kind) {
    case AggregateKind::Sum:
    case AggregateKind::Average:
      return add(value);
    case AggregateKind::Least:
    case AggregateKind::Greatest: {
      const auto order = count_ == 1
                             ? std::weak_ordering::equivalent
                             : compare(to_scalar(value), to_scalar(best_)).value_or(std::weak_ordering::equivalent);
      if (count_ == 1 || (aggregate_->kind == AggregateKind::Least ? order < 0 : order > 0)) best_ = std::move(value);
      return;
    }
    case AggregateKind::Collect:
      collected_.push_back(std::move(value));
      return;
    default:
      return;
  }
}

// What is no number adds nothing, and does not count for an average.
void Accumulator::add(const Value& value) {
  const Scalar scalar = to_scalar(value);
  const auto* integer = std::get_if<std::int64_t>(&scalar);
  const auto* real = std::get_if<double>(&scalar);
  if (integer == nullptr && real == nullptr) {
    --count_;
    return;
  }
  is_whole_ = is_whole_ && integer != nullptr && !__builtin_add_overflow(whole_, *integer, &whole_);
  const double term = integer != nullptr ? static_cast<double>(*integer) : *real;
  const double sum = real_ + term;
  if (std::isfinite(sum)) lost_ += std::fabs(real_) >= std::fabs(term) ? (real_ - sum) + term : (term - sum) + real_;
  real_ = sum;
}

Value Accumulator::result() const {
  const auto real = [](double value) { return std::isnan(value) ? Value(nullptr) : Value(value); };
  switch (aggregate_->kind) {
    case AggregateKind::CountRows:
    case AggregateKind::Count:
      return Value(static_cast<long long>(count_));
    case AggregateKind::Sum:
      if (count_ == 0) return nullptr;
      return is_whole_ ? Value(static_cast<long long>(whole_)) : real(real_ + lost_);
    case AggregateKind::Average:
      return count_ == 0 ? Value(nullptr) : real((real_ + lost_) / static_cast<double>(count_));
    case AggregateKind::Collect:
      return collected_;
    default:
      return best_;
  }
}

Groups::Group Groups::empty_group() const {
  Group group;
  for (const Aggregate& aggregate : select_.aggregates) group.accumulators.emplace_back(aggregate);
  return group;
}

void Groups::take(const Scope& scope) {
  Slots keys;
  for (const Operand& operand : select_.groups) keys.push_back(evaluate(operand, scope));
  Bytes key = group_key(keys);
  auto found = groups_.find(key);
  if (found == groups_.end()) {
    found = groups_.emplace(std::move(key), empty_group()).first;
    found->second.keys = std::move(keys);
  }
  for (Accumulator& accumulator : found->second.accumulators) accumulator.take(scope);
}

void Groups::take_rows(std::uint64_t count) {
  Group& all = groups_.emplace(group_key({}), empty_group()).first->second;
  for (Accumulator& accumulator : all.accumulators) accumulator.take_rows(count);
}

std::vector<Groups::Slots> Groups::rows() const {
  std::vector<Slots> rows;
  const auto add = [&](const Group& group) {
    Slots& row = rows.emplace_back(group.keys);
    for (const Accumulator& accumulator : group.accumulators) row.emplace_back(accumulator.result());
  };
  for (const auto& [key, group] : groups_) add(group);
  if (rows.empty() && select_.groups.empty()) add(empty_group());
  const auto keys_before = [&](const Slots& left, const Slots& right) {
    for (std::size_t i = 0; i < select_.groups.size(); ++i) {
      const auto order = compare_for_order(left[i], right[i], Direction::Ascending);
      if (order != 0) return order < 0;
    }
    return false;
  };
  std::stable_sort(rows.begin(), rows.end(), keys_before);
  return rows;
}

std::weak_ordering compare_for_order(const Value* left, const Value* right, Direction direction) {
  if (left == nullptr || right == nullptr) return (left == nullptr) <=> (right == nullptr);
  const Scalar a = to_scalar(*left), b = to_scalar(*right);
  const bool a_null = std::holds_alternative<Null>(a), b_null = std::holds_alternative<Null>(b);
  const std::weak_ordering order = a_null || b_null ? std::weak_ordering(b_null <=> a_null) : *compare(a, b);
  return direction == Direction::Descending ? 0 <=> order : order;
}

std::weak_ordering compare_for_order(const std::optional<Value>& left, const std::optional<Value>& right,
                                     Direction direction) {
  return compare_for_order(left ? &*left : nullptr, right ? &*right : nullptr, direction);
}

}  // namespace fermata::query
