#include "query/live_query.hpp"

#include "query/matcher.hpp"
#include "query/sql.hpp"

namespace fermata::query {
namespace {

Result<QueryResult> read_all(sqlite3* connection, const SelectStatement& select) {
  QueryResult result;
  auto done = run(connection, compile(select), [&](std::string_view id, ByteView body) -> Status {
    auto document = decode_body(id, body);
    if (!document) return fail(document.error());
    document->insert_or_assign(std::string(kIdField), Value(id));
    result.items.push_back(std::move(*document));
    return {};
  });
  if (!done) return fail(done.error());
  return result;
}

}  // namespace

Result<QueryResult> read_all(store::Store& store, const SelectStatement& select) {
  Result<QueryResult> result;
  auto read = store.read([&](sqlite3* connection) -> Status {
    result = read_all(connection, select);
    return result ? Status() : fail(result.error());
  });
  if (!read) return fail(read.error());
  return result;
}

LiveQuery::LiveQuery(SelectStatement what, Callback whom, Wants wanted)
    : select(std::move(what)),
      callback(std::move(whom)),
      wants(wanted),
      applies_changes(can_be_kept(select)),
      equality(equality_of(select.where.get())),
      result(select.order) {}

Refreshed LiveQuery::read(store::Store& store) {
  Result<QueryResult> now;
  const auto read_to = store.read_at_head([&](sqlite3* connection) -> Status {
    now = read_all(connection, select);
    return now ? Status() : fail(now.error());
  });
  if (!read_to) return Refreshed::Failed;
  head = *read_to;
  if (wants == Wants::Results) {
    result.replace(std::move(*now));
    return Refreshed::Changed;
  }
  diff = result.replace_and_compare(std::move(*now));
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

RowChange LiveQuery::seen_by(RowChange change) const {
  const auto is_in = [&](const Map* view) { return view != nullptr && matches(select.where, {change.id, *view}); };
  if (!is_in(change.before)) change.before = nullptr;
  if (!is_in(change.after)) change.after = nullptr;
  return change;
}

}  // namespace fermata::query
