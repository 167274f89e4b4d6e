#include "query/live_result.hpp"

#include <algorithm>
#include <map>

#include "query/result_diff.hpp"
#include "query/row_order.hpp"

namespace fermata::query {
namespace {

// A piece is split when it has more rows.
constexpr std::size_t kMaxChunk = 512;

std::string_view id_of(const Map& row) {
  const auto id = row.find(kIdField);
  const std::string* text = id == row.end() ? nullptr : id->second.if_a<std::string>();
  return text == nullptr ? std::string_view() : *text;
}

Map row_of(std::string_view id, const Map& fields) {
  Map row = fields;
  row.insert_or_assign(std::string(kIdField), Value(id));
  return row;
}

}  // namespace

// What all changes to one document come to.
struct LiveResult::Edit {
  std::string_view id;
  const Map* before = nullptr;
  const Map* after = nullptr;
  std::size_t old_index = 0;  // with `before`
  std::size_t new_index = 0;  // with `after`
  bool in_place = false;      // sorts as it did
};

const Map& LiveResult::item(std::size_t index) const {
  const auto chunk = std::upper_bound(starts_.begin(), starts_.end() - 1, index) - starts_.begin() - 1;
  const auto at = static_cast<std::size_t>(chunk);
  return chunks_[at].items[index - starts_[at]];
}

const QueryResult& LiveResult::whole() {
  asked_ = true;
  join();
  return chunks_.front();
}

void LiveResult::replace(QueryResult result) {
  chunks_.clear();
  chunks_.push_back(std::move(result));
  count();
}

ResultDiff LiveResult::replace_and_compare(QueryResult result) {
  join();
  ResultDiff diff = diff_results(chunks_.front().items, result.items);
  replace(std::move(result));
  return diff;
}

std::optional<ResultDiff> LiveResult::apply(const std::vector<RowChange>& changes) {
  auto edits = edits_of(changes);
  if (!edits) return std::nullopt;
  std::vector<std::size_t> removed;
  std::vector<Map> added;
  for (const Edit& edit : *edits) {
    if (edit.in_place) {
      const Place place = find(edit.id, *edit.before);
      chunks_[place.chunk].items[place.offset] = row_of(edit.id, *edit.after);
      continue;
    }
    if (edit.before != nullptr) removed.push_back(edit.old_index);
    if (edit.after != nullptr) added.push_back(row_of(edit.id, *edit.after));
  }
  const bool in_one = std::exchange(asked_, false);
  remove(std::move(removed));
  insert(std::move(added));
  if (!in_one) split();
  return difference_by(*edits);
}

// A change says what was there before and after it, so the first and the last to a document say all.
std::optional<std::vector<LiveResult::Edit>> LiveResult::edits_of(const std::vector<RowChange>& changes) const {
  std::map<std::string_view, RowChange> by_id;
  for (const RowChange& change : changes) {
    const auto [known, is_new] = by_id.emplace(change.id, change);
    if (!is_new) known->second.after = change.after;
  }
  std::vector<Edit> edits;
  for (const auto& [id, change] : by_id) {
    const auto& [same_id, before, after] = change;
    if (before == nullptr && after == nullptr) continue;
    Edit edit{.id = id, .before = before, .after = after};
    if (before != nullptr) {
      const Place place = find(id, *before);
      if (!place.found) return std::nullopt;
      edit.old_index = index_at(place);
    }
    if (before != nullptr && after != nullptr) {
      if (same_row(*before, *after)) continue;
      edit.in_place = compare_rows(order_, {id, *before}, {id, *after}) == 0;
    }
    edits.push_back(edit);
  }
  return edits;
}

// Rows that no edit touches keep their order. A row has moved if the number of those before it is another, or if it
// changed places with a row that stands between the same two of them.
ResultDiff LiveResult::difference_by(std::vector<Edit>& edits) const {
  ResultDiff diff;
  std::vector<std::size_t> touched_before, touched_after;
  for (Edit& edit : edits) {
    if (edit.before != nullptr) touched_before.push_back(edit.old_index);
    if (edit.after == nullptr) continue;
    edit.new_index = index_at(find(edit.id, *edit.after));
    touched_after.push_back(edit.new_index);
  }
  std::sort(touched_before.begin(), touched_before.end());
  std::sort(touched_after.begin(), touched_after.end());
  const auto untouched = [](const std::vector<std::size_t>& touched, std::size_t index) {
    return index - static_cast<std::size_t>(std::lower_bound(touched.begin(), touched.end(), index) - touched.begin());
  };
  std::vector<IndexPair> between_the_same;
  for (const auto& [id, before, after, old_index, new_index, in_place] : edits) {
    if (before == nullptr) {
      diff.inserted.push_back(new_index);
    } else if (after == nullptr) {
      diff.deleted.push_back(old_index);
    } else {
      diff.updated.push_back(new_index);
      const bool stays = untouched(touched_before, old_index) == untouched(touched_after, new_index);
      (stays ? between_the_same : diff.moved).emplace_back(old_index, new_index);
    }
  }
  std::sort(between_the_same.begin(), between_the_same.end());
  for (const IndexPair& move : least_moves(between_the_same)) diff.moved.push_back(move);
  std::sort(diff.deleted.begin(), diff.deleted.end());
  std::sort(diff.inserted.begin(), diff.inserted.end());
  std::sort(diff.updated.begin(), diff.updated.end());
  std::sort(diff.moved.begin(), diff.moved.end());
  return diff;
}

LiveResult::Place LiveResult::find(std::string_view id, const Map& fields) const {
  const auto is_before = [&](const Map& row) { return compare_rows(order_, {id_of(row), row}, {id, fields}) < 0; };
  const auto chunk = std::partition_point(chunks_.begin(), chunks_.end() - 1,
                                          [&](const QueryResult& one) { return is_before(one.items.back()); });
  const Rows& items = chunk->items;
  const auto row = std::partition_point(items.begin(), items.end(), is_before);
  return {static_cast<std::size_t>(chunk - chunks_.begin()), static_cast<std::size_t>(row - items.begin()),
          row != items.end() && id_of(*row) == id};
}

void LiveResult::remove(std::vector<std::size_t> indexes) {
  std::sort(indexes.begin(), indexes.end());
  auto next = indexes.begin();
  for (std::size_t chunk = 0; chunk < chunks_.size() && next != indexes.end(); ++chunk) {
    if (*next >= starts_[chunk + 1]) continue;
    Rows& items = chunks_[chunk].items;
    std::size_t kept = *next - starts_[chunk];
    for (std::size_t i = kept; i < items.size(); ++i) {
      if (next != indexes.end() && *next == starts_[chunk] + i) {
        ++next;
      } else {
        items[kept++] = std::move(items[i]);
      }
    }
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(kept), items.end());
  }
  std::erase_if(chunks_, [](const QueryResult& chunk) { return chunk.items.empty(); });
  if (chunks_.empty()) chunks_.emplace_back();
  count();
}

void LiveResult::insert(Rows rows) {
  std::sort(rows.begin(), rows.end(), [&](const Map& left, const Map& right) {
    return compare_rows(order_, {id_of(left), left}, {id_of(right), right}) < 0;
  });
  for (auto first = rows.begin(); first != rows.end();) {
    Rows& items = chunks_[find(id_of(*first), *first).chunk].items;
    auto last = rows.end();
    if (&items != &chunks_.back().items) {
      const DocumentView end{id_of(items.back()), items.back()};
      last = std::partition_point(first + 1, rows.end(), [&](const Map& row) {
        return compare_rows(order_, {id_of(row), row}, end) < 0;
      });
    }
    insert_into(items, first, last);
    first = last;
  }
  count();
}

// From the last row to the first, so that each row that is there already moves once.
void LiveResult::insert_into(Rows& items, Rows::iterator first, Rows::iterator last) const {
  auto unmoved = static_cast<std::ptrdiff_t>(items.size());
  items.resize(items.size() + static_cast<std::size_t>(last - first));
  for (auto to = items.end(); first != last;) {
    Map& row = *--last;
    const auto place = std::partition_point(items.begin(), items.begin() + unmoved, [&](const Map& other) {
      return compare_rows(order_, {id_of(other), other}, {id_of(row), row}) < 0;
    });
    to = std::move_backward(place, items.begin() + unmoved, to);
    *--to = std::move(row);
    unmoved = place - items.begin();
  }
}

void LiveResult::join() {
  if (chunks_.size() == 1) return;
  QueryResult all;
  all.items.reserve(size());
  for (QueryResult& chunk : chunks_) std::move(chunk.items.begin(), chunk.items.end(), std::back_inserter(all.items));
  replace(std::move(all));
}

void LiveResult::split() {
  const auto is_small = [](const QueryResult& chunk) { return chunk.items.size() <= kMaxChunk; };
  if (std::all_of(chunks_.begin(), chunks_.end(), is_small)) return;
  std::vector<QueryResult> pieces;
  for (QueryResult& chunk : chunks_) {
    if (is_small(chunk)) {
      pieces.push_back(std::move(chunk));
      continue;
    }
    for (std::size_t from = 0; from < chunk.items.size(); from += kMaxChunk / 2) {
      const auto first = chunk.items.begin() + static_cast<std::ptrdiff_t>(from);
      const auto room = static_cast<std::size_t>(chunk.items.end() - first);
      const auto last = first + static_cast<std::ptrdiff_t>(std::min(room, kMaxChunk / 2));
      pieces.emplace_back().items.assign(std::move_iterator(first), std::move_iterator(last));
    }
  }
  chunks_ = std::move(pieces);
  count();
}

void LiveResult::count() {
  starts_.assign(1, 0);
  for (const QueryResult& chunk : chunks_) starts_.push_back(starts_.back() + chunk.items.size());
}

}  // namespace fermata::query

namespace fermata {

std::size_t ResultChange::size() const {
  return result_.size();
}

const Map& ResultChange::item(std::size_t index) const {
  return result_.item(index);
}

const QueryResult& ResultChange::result() const {
  return result_.whole();
}

}  // namespace fermata
