// How one result became another. Pure.
#pragma once

#include <fermata/database.hpp>
#include <optional>
#include <vector>

namespace fermata::query {

// Between any two results. A row with an "_id" of text is the same row as the one with that id (of several, in their
// order). Others are the same where they are equal, and what then is left at the same index of both is one row,
// updated.
[[nodiscard]] ResultDiff diff_results(const std::vector<Map>& before, const std::vector<Map>& after);

// Whether nobody could tell the two apart; NaN is itself here.
[[nodiscard]] bool same_row(const Map& left, const Map& right);

// Of rows that stay, their old and new indexes, by old index: fewest of them that must move so that the others need
// not.
using IndexPair = std::pair<std::size_t, std::size_t>;
[[nodiscard]] std::vector<IndexPair> least_moves(const std::vector<IndexPair>& staying);

}  // namespace fermata::query
