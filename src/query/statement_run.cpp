#include "query/statement_run.hpp"

#include "query/literals.hpp"
#include "query/select.hpp"

namespace fermata::query {
namespace {

Result<QueryResult> with_rows(Result<std::vector<Map>> rows) {
  if (!rows) return fail(std::move(rows.error()));
  return QueryResult{.items = std::move(*rows)};
}

Result<QueryResult> with_written(Result<Written> written) {
  if (!written) return fail(std::move(written.error()));
  return QueryResult{.items = std::move(written->rows), .mutated_ids = std::move(written->ids)};
}

Result<QueryResult> done(const Status& status) {
  if (!status) return fail(status.error());
  return QueryResult{};
}

Result<std::vector<Map>> show_indexes(store::Connection& connection) {
  auto indexes = store::load_indexes(connection);
  if (!indexes) return fail(std::move(indexes.error()));
  std::vector<Map> rows;
  for (const store::Index& index : *indexes) {
    Array fields;
    for (const IndexedField& field : index.fields) {
      fields.emplace_back(path_text(field.path) + (field.direction == Direction::Descending ? " DESC" : ""));
    }
    rows.push_back({{"name", index.name},
                    {"collection", index.collection},
                    {"kind", index.kind == IndexKind::FullText ? "full text" : "ordered"},
                    {"fields", std::move(fields)}});
  }
  return rows;
}

Result<QueryResult> create_index(store::Transaction& transaction, CreateIndexStatement&& statement) {
  const bool accepts = statement.if_there == IfThere::Accept;
  const Status created = transaction.create_index({.kind = statement.kind,
                                                   .name = std::move(statement.name),
                                                   .collection = std::move(statement.collection),
                                                   .fields = std::move(statement.fields)});
  if (!created && created.error().code == ErrorCode::AlreadyExists && accepts) return QueryResult{};
  return done(created);
}

Result<QueryResult> drop_index(store::Transaction& transaction, const DropIndexStatement& statement) {
  const Status dropped = transaction.drop_index(statement.name);
  const bool accepts = statement.if_there == IfThere::Accept;
  if (!dropped && dropped.error().code == ErrorCode::NotFound && accepts) return QueryResult{};
  return done(dropped);
}

}  // namespace

bool only_reads(const Statement& statement) {
  return std::holds_alternative<SelectStatement>(statement) || std::holds_alternative<ExplainStatement>(statement) ||
         std::holds_alternative<ShowIndexesStatement>(statement);
}

bool reads_once(const Statement& statement) {
  const auto* select = std::get_if<SelectStatement>(&statement);
  return select != nullptr && select->joins.empty() && (select->where == nullptr || !searches_text(*select->where));
}

bool has_written(const Statement& statement, const QueryResult& result) {
  return !result.mutated_ids.empty() || std::holds_alternative<CreateIndexStatement>(statement) ||
         std::holds_alternative<DropIndexStatement>(statement);
}

Result<QueryResult> run_reading(store::Connection& connection, const Statement& statement) {
  if (const auto* select = std::get_if<SelectStatement>(&statement)) return with_rows(select_rows(connection, *select));
  if (const auto* plan = std::get_if<ExplainStatement>(&statement)) return with_rows(explain(connection, plan->select));
  return with_rows(show_indexes(connection));
}

Result<QueryResult> run_writing(store::Transaction& transaction, Statement&& statement, const WriteContext& context) {
  if (auto* insertion = std::get_if<InsertStatement>(&statement)) {
    return with_written(insert(transaction, std::move(*insertion), context.make_id));
  }
  if (const auto* change = std::get_if<UpdateStatement>(&statement)) return with_written(update(transaction, *change));
  if (const auto* removal = std::get_if<DeleteStatement>(&statement)) {
    return with_written(remove(transaction, *removal, context.may_evict));
  }
  if (auto* creation = std::get_if<CreateIndexStatement>(&statement)) {
    return create_index(transaction, std::move(*creation));
  }
  if (const auto* drop = std::get_if<DropIndexStatement>(&statement)) return drop_index(transaction, *drop);
  return run_reading(transaction.connection(), statement);
}

}  // namespace fermata::query
