// The result of a live query: what its observer saw last, brought up to date in place by what commits changed. Used by
// one thread at a time.
#pragma once

#include <fermata/database.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "query/ast.hpp"

namespace fermata::query {

// One document of a collection before and after a commit; the views without "_id".
struct RowChange {
  std::string_view id;
  const Map* before = nullptr;  // null: it was not in the result
  const Map* after = nullptr;   // null: it is not in the result
};

class LiveResult {
 public:
  explicit LiveResult(std::vector<OrderTerm> order) : order_(std::move(order)) {}

  [[nodiscard]] std::size_t size() const { return starts_.back(); }
  [[nodiscard]] const Map& item(std::size_t index) const;
  [[nodiscard]] const QueryResult& whole();

  // Takes the place of what was here, whatever that was.
  void replace(QueryResult result);
  [[nodiscard]] ResultDiff replace_and_compare(QueryResult result);

  // Applies changes in the order of their commits; the cost is that of the changes and a logarithm of the size, plus,
  // after whole(), moving what stands behind them. Result: the difference; nothing, and nothing applied, if the result
  // contradicts what the changes say was there.
  [[nodiscard]] std::optional<ResultDiff> apply(const std::vector<RowChange>& changes);

 private:
  using Rows = std::vector<Map>;
  struct Edit;
  struct Place {
    std::size_t chunk = 0;
    std::size_t offset = 0;
    bool found = false;
  };
  [[nodiscard]] Place find(std::string_view id, const Map& fields) const;
  [[nodiscard]] std::size_t index_at(const Place& place) const { return starts_[place.chunk] + place.offset; }
  [[nodiscard]] std::optional<std::vector<Edit>> edits_of(const std::vector<RowChange>& changes) const;
  [[nodiscard]] ResultDiff difference_by(std::vector<Edit>& edits) const;
  void remove(std::vector<std::size_t> indexes);
  void insert(Rows rows);
  void insert_into(Rows& items, Rows::iterator first, Rows::iterator last) const;
  void join();
  void split();
  void count();

  std::vector<OrderTerm> order_;
  // In order, at least one. Together when the observer asks for the whole result, else in pieces, so that an insertion
  // moves few. Each is a QueryResult because the only one may be what is asked for.
  std::vector<QueryResult> chunks_{1};
  std::vector<std::size_t> starts_{0, 0};  // the index of each chunk's first row, and the size
  bool asked_ = false;                     // for the whole result, since apply()
};

}  // namespace fermata::query
