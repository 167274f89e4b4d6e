#include "query/select.hpp"

#include <algorithm>

#include "base/cbor.hpp"
#include "query/aggregate.hpp"
#include "query/row_scope.hpp"

namespace fermata::query {
namespace {

Result<Map> whole_document(const RowDocument& document) {
  auto map = decode_body(document.id, document.body);
  if (map) map->insert_or_assign(std::string(kIdField), Value(document.id));
  return map;
}

Status status_of(const RowScope& row) {
  const Error* error = row.error();
  if (error == nullptr) return row.budget().status();
  return fail(ErrorCode::Corrupt,
              "a stored document does not decode (" + error->message + "); restore the database from another peer");
}

class Reader {
 public:
  Reader(store::Connection& connection, const SelectStatement& select) : connection_(connection), select_(select) {}

  Result<std::vector<Map>> read() {
    Groups groups(select_);
    // What a transaction has written so far is counted when it commits.
    const bool is_counted = counts_only() && select_.where == nullptr && select_.joins.empty();
    const auto done = is_counted && !connection_.is_writing() ? count_living(groups) : visit_rows(groups);
    if (!done) return fail(done.error());
    if (is_grouped(select_)) {
      if (auto taken = take_groups(groups); !taken) return fail(taken.error());
    }
    cut();
    return std::move(rows_);
  }

 private:
  [[nodiscard]] bool counts_only() const {
    return is_grouped(select_) && select_.groups.empty() &&
           std::all_of(select_.aggregates.begin(), select_.aggregates.end(),
                       [](const auto& each) { return each.kind == AggregateKind::CountRows; });
  }

  Status count_living(Groups& groups) {
    const auto living = Catalog(connection_).living_in(select_.collection);
    if (!living) return fail(living.error());
    groups.take_rows(*living);
    return {};
  }

  Status visit_rows(Groups& groups) {
    Catalog catalog(connection_);
    const auto compiled = compile(select_, counts_only() ? Columns::IdsAlone : Columns::Bodies, catalog);
    if (!compiled) return fail(compiled.error());
    return run(connection_, *compiled, [&](std::span<const RowDocument> row) {
      return is_grouped(select_) ? take_into(groups, row) : take(row);
    });
  }

  static Status take_into(Groups& groups, std::span<const RowDocument> row) {
    const RowScope scope(row);
    groups.take(scope.scope());
    return status_of(scope);
  }

  Status take(std::span<const RowDocument> row) {
    if (select_.projections.empty()) {
      auto everything = all_of(row);
      if (!everything) return fail(everything.error());
      keep(std::move(*everything));
      return {};
    }
    const RowScope scope(row);
    Map made;
    for (const Projection& each : select_.projections) {
      if (each.kind == ProjectionKind::Everything) {
        auto everything = all_of(row);
        if (!everything) return fail(everything.error());
        made.merge(*everything);
      } else if (auto value = evaluate(each.value, scope.scope())) {
        made.insert_or_assign(each.name, std::move(*value));
      }
    }
    if (auto status = status_of(scope); !status) return status;
    keep(std::move(made));
    return {};
  }

  Result<Map> all_of(std::span<const RowDocument> row) const {
    if (select_.joins.empty()) return whole_document(row.front());
    Map all;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (!row[i].is_there) continue;
      auto document = whole_document(row[i]);
      if (!document) return fail(document.error());
      all.emplace(i == 0 ? select_.alias : select_.joins[i - 1].alias, std::move(*document));
    }
    return all;
  }

  // What HAVING lets through, in order. Each computes once what it is sorted by.
  Status take_groups(const Groups& groups) {
    std::vector<GroupRow> kept;
    for (Groups::Slots& slots : groups.rows()) {
      Budget budget;
      const Scope scope{.slots = slots, .budget = &budget};
      const bool holds = select_.having == nullptr || evaluate(*select_.having, scope) == Truth::True;
      GroupRow row;
      if (holds) row = group_row(scope);
      if (auto status = budget.status(); !status) return status;
      if (holds) kept.push_back(std::move(row));
    }
    std::stable_sort(kept.begin(), kept.end(), [&](const auto& a, const auto& b) { return comes_before(a, b); });
    for (GroupRow& row : kept) keep(std::move(row.made));
    return {};
  }

  struct GroupRow {
    Map made;
    std::vector<std::optional<Value>> sorted_by;
  };

  [[nodiscard]] GroupRow group_row(const Scope& scope) const {
    GroupRow row;
    for (const OrderTerm& term : select_.order) row.sorted_by.push_back(evaluate(term.value, scope));
    for (const Projection& each : select_.projections) {
      if (auto value = evaluate(each.value, scope)) row.made.insert_or_assign(each.name, std::move(*value));
    }
    return row;
  }

  [[nodiscard]] bool comes_before(const GroupRow& left, const GroupRow& right) const {
    for (std::size_t i = 0; i < select_.order.size(); ++i) {
      const auto order = compare_for_order(left.sorted_by[i], right.sorted_by[i], select_.order[i].direction);
      if (order != 0) return order < 0;
    }
    return false;
  }

  void keep(Map row) {
    if (select_.repetition == Repetition::Distinct && !seen_.insert(row_key(row)).second) return;
    rows_.push_back(std::move(row));
  }

  static Bytes row_key(const Map& row) {
    Bytes joined;
    for (const auto& [name, value] : row) {
      for (const Bytes& part : {encode_value(Value(name)), distinct_key(value)}) {
        joined.insert(joined.end(), part.begin(), part.end());
      }
    }
    return joined;
  }

  // Where SQLite did not count for us.
  void cut() {
    if (!is_grouped(select_) && select_.repetition == Repetition::All) return;
    const auto skipped = std::min<std::uint64_t>(static_cast<std::uint64_t>(select_.offset.value_or(0)), rows_.size());
    rows_.erase(rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(skipped));
    if (select_.limit && static_cast<std::uint64_t>(*select_.limit) < rows_.size()) {
      rows_.resize(static_cast<std::size_t>(*select_.limit));
    }
  }

  store::Connection& connection_;
  const SelectStatement& select_;
  std::vector<Map> rows_;
  std::set<Bytes> seen_;
};

}  // namespace

bool searches_text(const Expression& node) {
  return node.kind == ExpressionKind::Match || std::any_of(node.children.begin(), node.children.end(), searches_text);
}

Result<std::vector<Map>> select_rows(store::Connection& connection, const SelectStatement& select) {
  return Reader(connection, select).read();
}

Result<QueryResult> read_all(store::Store& store, const SelectStatement& select) {
  QueryResult result;
  const auto read = store.read([&](store::Connection& connection) -> Status {
    auto rows = select_rows(connection, select);
    if (!rows) return fail(rows.error());
    result.items = std::move(*rows);
    return {};
  });
  if (!read) return fail(read.error());
  return result;
}

Result<Map> project(const std::vector<Projection>& projections, std::string_view id, const Map& fields) {
  const MapSource document({id, fields});
  const FieldSource* const sources[] = {&document};
  Budget budget;
  Map made;
  for (const Projection& each : projections) {
    if (each.kind == ProjectionKind::Everything) {
      made.insert(fields.begin(), fields.end());
      made.insert_or_assign(std::string(kIdField), Value(id));
    } else if (auto value = evaluate(each.value, Scope{.sources = sources, .budget = &budget})) {
      made.insert_or_assign(each.name, std::move(*value));
    }
  }
  if (auto status = budget.status(); !status) return fail(status.error());
  return made;
}

bool is_plain(const SelectStatement& select) {
  return select.projections.empty() && select.joins.empty() && !is_grouped(select) &&
         select.repetition == Repetition::All && !select.limit && !select.offset &&
         (select.where == nullptr || !searches_text(*select.where));
}

bool concerns(const SelectStatement& select, std::string_view collection, std::string_view id, const Map& view) {
  const bool joined = std::any_of(select.joins.begin(), select.joins.end(),
                                  [&](const Join& join) { return join.collection == collection; });
  if (joined) return true;
  if (collection != select.collection) return false;
  const bool is_decidable = select.joins.empty() && (select.where == nullptr || !searches_text(*select.where));
  return !is_decidable || matches(select.where, {id, view});
}

}  // namespace fermata::query
