#include "query/mutation.hpp"

#include <algorithm>

#include "query/counts.hpp"
#include "query/document_check.hpp"
#include "query/literals.hpp"
#include "query/matcher.hpp"
#include "query/select.hpp"
#include "query/sql.hpp"

namespace fermata::query {
namespace {

// What one UPDATE writes to one document.
struct FieldWrite {
  const Assignment* assignment = nullptr;
  std::optional<Value> value;  // nothing unsets the field
  std::int64_t amount = 0;     // of an INCREMENT
};
struct DocumentWrite {
  std::string id;
  std::vector<FieldWrite> fields;
};

Result<std::int64_t> amount_of(const std::optional<Value>& value, const crdt::Path& path) {
  const auto* amount = value ? value->if_a<std::int64_t>() : nullptr;
  if (amount != nullptr) return *amount;
  return fail(ErrorCode::InvalidArgument, "INCREMENT " + path_text(path) + ": the amount is " +
                                              (value ? to_json(*value) : "a missing field") +
                                              ", not a whole number; counters count in whole numbers");
}

// What is computed may be too large or too deep for a document, unlike what stood in one.
Result<std::optional<Value>> assigned_value(const Operand& operand, const Scope& scope) {
  auto value = evaluate(operand, scope);
  if (value && std::holds_alternative<ExpressionRef>(operand)) {
    if (auto checked = check_value(*value); !checked) return fail(checked.error());
  }
  return value;
}

// Nothing if the field is already as it shall be, as far as a body tells: a counter looks like a number there.
Result<std::optional<FieldWrite>> plan_field(const Assignment& assignment, const Scope& scope) {
  const Value* const before = scope.sources.front()->find(assignment.path);
  if (assignment.kind == AssignmentKind::Unset) {
    if (before == nullptr) return std::nullopt;
    return FieldWrite{&assignment, std::nullopt};
  }
  auto after = assigned_value(assignment.value, scope);
  if (!after) return fail(after.error());
  if (assignment.kind == AssignmentKind::Set) {
    if (before == nullptr ? !*after : *after == *before) return std::nullopt;
    return FieldWrite{&assignment, std::move(*after)};
  }
  const auto amount = amount_of(*after, assignment.path);
  if (!amount) return fail(amount.error());
  return FieldWrite{&assignment, std::nullopt, *amount};
}

Result<DocumentWrite> plan_update(const UpdateStatement& statement, const RowDocument& document) {
  DocumentWrite write{std::string(document.id), {}};
  const BodySource source(document.id, document.body);
  const FieldSource* const sources[] = {&source};
  Budget budget;
  for (const Assignment& assignment : statement.assignments) {
    auto field = plan_field(assignment, Scope{.sources = sources, .budget = &budget});
    if (auto status = budget.status(); !status) return fail(status.error());
    if (!field) return fail(field.error());
    if (*field) write.fields.push_back(std::move(**field));
  }
  if (!source.status()) return fail(source.status().error());
  return write;
}

Status check_assignments(const UpdateStatement& statement) {
  for (const Assignment& assignment : statement.assignments) {
    const auto* literal = std::get_if<Value>(&assignment.value);
    if (literal == nullptr) continue;
    if (auto checked = check_value(*literal); !checked) return checked;
  }
  return {};
}

// By 0, a missing counter begins and another stays as it is. Result: whether anything was written.
Result<bool> count(store::Transaction& transaction, const std::string& collection, const std::string& id,
                   const FieldWrite& field) {
  const crdt::Path& path = field.assignment->path;
  if (field.amount == 0) {
    const auto stored = transaction.load(collection, id);
    if (!stored) return fail(stored.error());
    const std::vector<crdt::Path> counters = stored->counters();
    if (std::find(counters.begin(), counters.end(), path) != counters.end()) return false;
  }
  if (auto counted = transaction.increment(collection, id, path, field.amount); !counted) return fail(counted.error());
  return true;
}

// Result: as above.
Result<bool> apply(store::Transaction& transaction, const std::string& collection, const DocumentWrite& write) {
  bool wrote = false;
  for (const FieldWrite& field : write.fields) {
    if (field.assignment->kind == AssignmentKind::Increment) {
      const auto counted = count(transaction, collection, write.id, field);
      if (!counted) return counted;
      wrote = wrote || *counted;
      continue;
    }
    const crdt::Path& path = field.assignment->path;
    const Status done = field.value ? transaction.set(collection, write.id, path, *field.value)
                                    : transaction.unset(collection, write.id, path);
    if (!done) return fail(done.error());
    wrote = true;
  }
  return wrote;
}

using Visit = std::function<Status(const RowDocument&)>;

// What a condition says that asks for one id and for nothing else, as most of those do that write.
const std::string* only_id(const Where& where) {
  if (where == nullptr || where->kind != ExpressionKind::Compare || where->comparison != Comparison::Equal) {
    return nullptr;
  }
  const auto* path = std::get_if<crdt::Path>(&where->operands[0]);
  const auto* value = std::get_if<Value>(&where->operands[1]);
  return path != nullptr && value != nullptr && is_id(*path) ? value->if_a<std::string>() : nullptr;
}

Status visit_one(store::Connection& connection, const std::string& collection, const std::string& id,
                 const Visit& visit) {
  const auto number = connection.collection_number(collection);
  auto row = connection.prepare("SELECT body FROM documents WHERE collection = ? AND id = ? AND life % 2 = 1");
  if (!number || !row) return fail(!number ? number.error() : row.error());
  const auto found = row->bind(1, *number).bind(2, id).step();
  if (!found) return fail(found.error());
  return *found ? visit({id, row->blob(0)}) : Status();
}

// Visits the documents of a collection that satisfy a condition.
Status select(store::Transaction& transaction, const std::string& collection, const Where& where, const Visit& visit) {
  store::Connection& connection = transaction.connection();
  if (const std::string* id = only_id(where)) return visit_one(connection, collection, *id, visit);
  Catalog catalog(connection);
  const SelectStatement wanted{.collection = collection, .where = where};
  const auto compiled = compile(wanted, Columns::Bodies, catalog);
  if (!compiled) return fail(compiled.error());
  return run(connection, *compiled, [&](std::span<const RowDocument> row) { return visit(row.front()); });
}

}  // namespace

Result<Written> update(store::Transaction& transaction, const UpdateStatement& statement) {
  if (auto checked = check_assignments(statement); !checked) return fail(checked.error());
  std::vector<DocumentWrite> writes;
  const auto selected = select(transaction, statement.collection, statement.where, [&](const RowDocument& document) {
    auto write = plan_update(statement, document);
    if (!write) return Status(fail(write.error()));
    if (!write->fields.empty()) writes.push_back(std::move(*write));
    return Status();
  });
  if (!selected) return fail(selected.error());
  Ids ids;
  for (DocumentWrite& write : writes) {
    const auto wrote = apply(transaction, statement.collection, write);
    if (!wrote) return fail(wrote.error());
    if (*wrote) ids.push_back(std::move(write.id));
  }
  return returned(transaction, statement.collection, statement.returning, std::move(ids));
}

Result<Written> remove(store::Transaction& transaction, const DeleteStatement& statement, const MayEvict& may_evict) {
  Written written;
  const auto selected = select(transaction, statement.collection, statement.where, [&](const RowDocument& document) {
    written.ids.emplace_back(document.id);
    const bool evicts = statement.kind == RemovalKind::Evict && may_evict != nullptr;
    if (statement.returning.empty() && !evicts) return Status();
    const auto view = decode_body(document.id, document.body);
    if (!view) return Status(fail(view.error()));
    if (!statement.returning.empty()) {
      auto row = project(statement.returning, document.id, *view);
      if (!row) return Status(fail(row.error()));
      written.rows.push_back(std::move(*row));
    }
    return evicts ? may_evict(statement.collection, document.id, *view) : Status();
  });
  if (!selected) return fail(selected.error());
  for (const std::string& id : written.ids) {
    const Status removed = statement.kind == RemovalKind::Delete ? transaction.remove(statement.collection, id)
                                                                 : transaction.evict(statement.collection, id);
    if (!removed) return fail(removed.error());
  }
  return written;
}

}  // namespace fermata::query
