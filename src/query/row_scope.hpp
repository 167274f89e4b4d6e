// The documents of a row as an expression sees them.
#pragma once

#include <array>

#include "query/matcher.hpp"
#include "query/sql.hpp"

namespace fermata::query {

// Of at most kMaxJoins + 1 documents, whose ids and bodies must outlive it. Not to be moved: the scope points into it.
class RowScope {
 public:
  explicit RowScope(std::span<const RowDocument> row) : count_(std::min(row.size(), kMaxJoins + 1)) {
    for (std::size_t i = 0; i < count_; ++i) {
      if (!row[i].is_there) continue;
      bodies_[i].emplace(row[i].id, row[i].body);
      sources_[i] = &*bodies_[i];
    }
  }
  RowScope(const RowScope&) = delete;

  [[nodiscard]] Scope scope() const { return {.sources = std::span(sources_).first(count_), .budget = &budget_}; }
  // Of all that has been computed so far.
  [[nodiscard]] const Budget& budget() const { return budget_; }
  // The first field that did not decode, so far; nullptr if all did.
  [[nodiscard]] const Error* error() const {
    for (const auto& body : bodies_) {
      if (body && !body->status()) return &body->status().error();
    }
    return nullptr;
  }

 private:
  std::size_t count_;
  std::array<std::optional<BodySource>, kMaxJoins + 1> bodies_;
  std::array<const FieldSource*, kMaxJoins + 1> sources_{};
  mutable Budget budget_;
};

}  // namespace fermata::query
