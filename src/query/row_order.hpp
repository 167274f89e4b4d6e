// How a SELECT sorts documents, for results that are kept without asking SQLite again. Pure.
// tests/unit/query/live_result_test.cpp holds the two together.
#pragma once

#include <compare>
#include <vector>

#include "query/matcher.hpp"

namespace fermata::query {

// By each term in turn: missing last, whatever the direction; then null, numbers, text, blobs. Equals by id. Fields may
// hold "_id" or not.
[[nodiscard]] std::weak_ordering compare_rows(const std::vector<OrderTerm>& order, const DocumentView& left,
                                              const DocumentView& right);

}  // namespace fermata::query
