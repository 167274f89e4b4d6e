#include "query/live_query.hpp"

#include <algorithm>

#include "query/matcher.hpp"
#include "query/select.hpp"

namespace fermata::query {
LiveQuery::LiveQuery(SelectStatement what, Callback whom, Wants wanted)
    : select(std::move(what)),
      callback(std::move(whom)),
      wants(wanted),
      applies_changes(is_plain(select)),
      equality(select.joins.empty() ? equality_of(select.where.get()) : std::nullopt),
      result(select.order) {}

Refreshed LiveQuery::read(store::Store& store) {
  QueryResult now;
  const auto read_to = store.read_at_head([&](store::Connection& connection) -> Status {
    auto rows = select_rows(connection, select);
    if (!rows) return fail(rows.error());
    now.items = std::move(*rows);
    return {};
  });
  if (!read_to) return Refreshed::Failed;
  head = *read_to;
  if (wants == Wants::Results) {
    result.replace(std::move(now));
    return Refreshed::Changed;
  }
  diff = result.replace_and_compare(std::move(now));
  return told && diff.empty() ? Refreshed::Same : Refreshed::Changed;
}

Refreshed LiveQuery::apply(store::Store& store, const std::vector<PendingChange>& changes) {
  std::vector<RowChange> rows;
  rows.reserve(changes.size());
  for (const PendingChange& one : changes) rows.push_back(one.change);
  auto difference = result.apply(rows);
  if (!difference) return read(store);
  diff = std::move(*difference);
  return diff.empty() ? Refreshed::Same : Refreshed::Changed;
}

RowChange LiveQuery::seen_by(std::string_view collection, RowChange change) const {
  const auto is_in = [&](const Map* view) { return view != nullptr && concerns(select, collection, change.id, *view); };
  if (!is_in(change.before)) change.before = nullptr;
  if (!is_in(change.after)) change.after = nullptr;
  return change;
}

std::vector<std::string> LiveQuery::collections() const {
  std::vector<std::string> all{select.collection};
  for (const Join& join : select.joins) {
    if (std::find(all.begin(), all.end(), join.collection) == all.end()) all.push_back(join.collection);
  }
  return all;
}

}  // namespace fermata::query
