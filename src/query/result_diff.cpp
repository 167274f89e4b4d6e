#include "query/result_diff.hpp"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "base/cbor.hpp"

namespace fermata::query {
namespace {

// What makes a row the same row.
std::string identity_of(const Map& row) {
  const auto id = row.find("_id");
  const std::string* text = id == row.end() ? nullptr : id->second.if_a<std::string>();
  if (text != nullptr) return "i" + *text;
  const Bytes content = encode_value(Value(row));
  return "c" + std::string(content.begin(), content.end());
}

bool has_id(std::string_view identity) {
  return identity.front() == 'i';
}

class ResultDifference {
 public:
  ResultDifference(const std::vector<Map>& before, const std::vector<Map>& after)
      : before_(before), after_(after), old_of_(after.size()), is_kept_(before.size(), false) {}

  ResultDiff run() {
    pair_by_identity();
    pair_by_index();
    ResultDiff diff;
    std::vector<IndexPair> staying;
    for (std::size_t i = 0; i < before_.size(); ++i) {
      if (!is_kept_[i]) diff.deleted.push_back(i);
    }
    for (std::size_t i = 0; i < after_.size(); ++i) {
      if (!old_of_[i]) {
        diff.inserted.push_back(i);
        continue;
      }
      staying.emplace_back(*old_of_[i], i);
      if (!same_row(before_[*old_of_[i]], after_[i])) diff.updated.push_back(i);
    }
    std::sort(staying.begin(), staying.end());
    diff.moved = least_moves(staying);
    return diff;
  }

 private:
  void pair(std::size_t old_index, std::size_t new_index) {
    old_of_[new_index] = old_index;
    is_kept_[old_index] = true;
  }

  void pair_by_identity() {
    struct Rows {
      std::vector<std::size_t> indexes;
      std::size_t taken = 0;
    };
    std::unordered_map<std::string, Rows> known;
    for (std::size_t i = 0; i < before_.size(); ++i) known[identity_of(before_[i])].indexes.push_back(i);
    for (std::size_t i = 0; i < after_.size(); ++i) {
      const std::string identity = identity_of(after_[i]);
      const auto found = known.find(identity);
      if (found != known.end() && found->second.taken < found->second.indexes.size()) {
        pair(found->second.indexes[found->second.taken++], i);
      }
    }
  }

  void pair_by_index() {
    const auto is_free = [](const Map& row) { return !has_id(identity_of(row)); };
    for (std::size_t i = 0; i < std::min(before_.size(), after_.size()); ++i) {
      if (!old_of_[i] && !is_kept_[i] && is_free(before_[i]) && is_free(after_[i])) pair(i, i);
    }
  }

  const std::vector<Map>& before_;
  const std::vector<Map>& after_;
  std::vector<std::optional<std::size_t>> old_of_;  // by new index
  std::vector<bool> is_kept_;                       // by old index
};

}  // namespace

bool same_row(const Map& left, const Map& right) {
  return left == right || encode_value(Value(left)) == encode_value(Value(right));
}

// What need not move is a longest run of rows whose new indexes rise as their old ones do.
std::vector<IndexPair> least_moves(const std::vector<IndexPair>& staying) {
  constexpr auto kNone = static_cast<std::size_t>(-1);
  std::vector<std::size_t> ends;                             // of the best run of each length, its last row
  std::vector<std::size_t> previous(staying.size(), kNone);  // in the best run that ends with this row
  for (std::size_t i = 0; i < staying.size(); ++i) {
    const auto place = std::lower_bound(ends.begin(), ends.end(), staying[i].second,
                                        [&](std::size_t end, auto index) { return staying[end].second < index; });
    if (place != ends.begin()) previous[i] = *std::prev(place);
    if (place == ends.end()) {
      ends.push_back(i);
    } else {
      *place = i;
    }
  }
  std::vector<bool> stands(staying.size(), false);
  for (std::size_t at = ends.empty() ? kNone : ends.back(); at != kNone; at = previous[at]) stands[at] = true;
  std::vector<IndexPair> moves;
  for (std::size_t i = 0; i < staying.size(); ++i) {
    if (!stands[i]) moves.push_back(staying[i]);
  }
  return moves;
}

ResultDiff diff_results(const std::vector<Map>& before, const std::vector<Map>& after) {
  return ResultDifference(before, after).run();
}

}  // namespace fermata::query
