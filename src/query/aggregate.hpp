// What becomes of many documents in one row: the groups of a SELECT and their aggregates. Pure.
#pragma once

#include <map>
#include <set>

#include "query/matcher.hpp"

namespace fermata::query {

// One aggregate of one group, value by value. Null and missing values are passed over, except by CountRows.
class Accumulator {
 public:
  explicit Accumulator(const Aggregate& aggregate) : aggregate_(&aggregate) {}
  void take(const Scope& scope);
  // So many rows at once, for CountRows alone.
  void take_rows(std::uint64_t count) { count_ += static_cast<std::int64_t>(count); }
  // Of nothing, a count is 0, a collection empty, and all else null.
  [[nodiscard]] Value result() const;

 private:
  void take(Value value);
  void add(const Value& value);

  const Aggregate* aggregate_;
  std::int64_t count_ = 0;
  std::int64_t whole_ = 0;  // the sum, as long as it is one of integers and fits
  bool is_whole_ = true;
  double real_ = 0, lost_ = 0;  // the sum of all, and what rounding has lost of it (Neumaier)
  Value best_;
  Array collected_;
  std::set<Bytes> seen_;  // with DISTINCT
};

// The rows of a grouped SELECT: for each group the values of its slots, in the order of their keys.
class Groups {
 public:
  explicit Groups(const SelectStatement& select) : select_(select) {}
  void take(const Scope& scope);
  // So many rows at once, for a SELECT that only counts them and has no GROUP BY.
  void take_rows(std::uint64_t count);
  using Slots = std::vector<std::optional<Value>>;
  // One row without GROUP BY, even of nothing.
  [[nodiscard]] std::vector<Slots> rows() const;

 private:
  struct Group {
    Slots keys;
    std::vector<Accumulator> accumulators;
  };
  [[nodiscard]] Group empty_group() const;

  const SelectStatement& select_;
  std::map<Bytes, Group> groups_;  // by the encoding of their keys
};

// Orders values as ORDER BY does: null, numbers, text, blobs, or the other way round; missing last either way.
// A null pointer stands for missing.
[[nodiscard]] std::weak_ordering compare_for_order(const Value* left, const Value* right, Direction direction);
[[nodiscard]] std::weak_ordering compare_for_order(const std::optional<Value>& left, const std::optional<Value>& right,
                                                   Direction direction);

}  // namespace fermata::query
