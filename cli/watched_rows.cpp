#include "cli/watched_rows.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace fermata::cli {
namespace {

Map change_of(std::string_view op, Map document) {
  Map change{{"op", op}};
  change.emplace("document", std::move(document));
  return change;
}

// Whether whoever was told the one knows which row the other is.
bool is_named_alike(const Map& told, const Map& document) {
  const auto before = told.find("_id"), after = document.find("_id");
  return before != told.end() && after != document.end() && before->second == after->second;
}

}  // namespace

void WatchedRows::apply(const ResultChange& change) {
  const ResultDiff& diff = change.diff();
  if (!diff.deleted.empty() || !diff.moved.empty() || !diff.inserted.empty()) rearrange(change);
  for (const std::size_t index : diff.updated) update(rows_[index], change.item(index));
}

// What stays keeps its order, and fills the places that nothing was moved or inserted to.
void WatchedRows::rearrange(const ResultChange& change) {
  const ResultDiff& diff = change.diff();
  Rows before = std::exchange(rows_, Rows(change.size()));
  for (const std::size_t index : diff.deleted) remove(*std::exchange(before[index], nullptr));
  for (const auto& [from, to] : diff.moved) rows_[to] = std::exchange(before[from], nullptr);
  for (const std::size_t index : diff.inserted) {
    rows_[index] = std::make_shared<Row>(Row{.document = change.item(index)});
    touched_.push_back(rows_[index]);
  }
  auto place = rows_.begin();
  for (std::shared_ptr<Row>& row : before) {
    if (row == nullptr) continue;
    place = std::find(place, rows_.end(), nullptr);
    *place = std::move(row);
  }
  for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i]->index = i;
  forget_gone();
}

// Rows that come and go while nobody takes them must not pile up.
void WatchedRows::forget_gone() {
  constexpr std::size_t kSome = 64;
  if (touched_.size() <= 2 * rows_.size() + kSome) return;
  std::erase_if(touched_, [](const std::shared_ptr<Row>& row) { return row->state == State::Gone; });
}

void WatchedRows::remove(Row& row) {
  const State before = std::exchange(row.state, State::Gone);
  if (before != State::New) gone_.push_back(std::move(before == State::Told ? row.document : row.told));
}

void WatchedRows::update(const std::shared_ptr<Row>& row, const Map& document) {
  if (row->state == State::Told) {
    row->state = State::Changed;
    row->told = std::move(row->document);
    touched_.push_back(row);
  }
  row->document = document;
}

std::vector<Map> WatchedRows::take() {
  std::vector<Map> deletes, others;
  for (Map& document : std::exchange(gone_, {})) deletes.push_back(change_of("delete", std::move(document)));
  Rows touched = std::exchange(touched_, {});
  std::sort(touched.begin(), touched.end(), [](const auto& a, const auto& b) { return a->index < b->index; });
  for (const std::shared_ptr<Row>& row : touched) {
    if (row->state == State::Gone) continue;
    const bool is_changed = row->state == State::Changed && row->told != row->document;
    const bool is_update = is_changed && is_named_alike(row->told, row->document);
    if (is_changed && !is_update) deletes.push_back(change_of("delete", std::move(row->told)));
    if (is_changed || row->state == State::New) {
      others.push_back(change_of(is_update ? "update" : "insert", row->document));
    }
    row->state = State::Told;
    row->told.clear();
  }
  deletes.insert(deletes.end(), std::make_move_iterator(others.begin()), std::make_move_iterator(others.end()));
  return deletes;
}

}  // namespace fermata::cli
