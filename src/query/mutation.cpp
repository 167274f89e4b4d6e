#include "query/mutation.hpp"

#include "query/document_check.hpp"
#include "query/literals.hpp"
#include "query/matcher.hpp"
#include "query/sql.hpp"
#include "query/sqlite_functions.hpp"

namespace fermata::query {
namespace {

// What becomes of fields that the new version of a document does not have.
enum class Others : std::uint8_t { Keep, Unset };

// Brings a live document to new fields by writing only where they differ.
class Difference {
 public:
  Difference(store::Transaction& transaction, std::string_view collection, std::string_view id, Others others)
      : transaction_(transaction), collection_(collection), id_(id), others_(others) {}

  Status write(const Map& before, const Map& after) {
    for (const auto& [name, value] : after) {
      path_.push_back(name);
      const auto old = before.find(name);
      if (auto written = field(old == before.end() ? nullptr : &old->second, value); !written) return written;
      path_.pop_back();
    }
    if (others_ == Others::Keep) return {};
    for (const auto& [name, value] : before) {
      if (after.contains(name)) continue;
      path_.push_back(name);
      wrote_ = true;
      if (auto unset = transaction_.unset(collection_, id_, path_); !unset) return unset;
      path_.pop_back();
    }
    return {};
  }

  [[nodiscard]] bool wrote() const { return wrote_; }

 private:
  Status field(const Value* before, const Value& after) {
    if (before != nullptr && *before == after) return {};
    const Map* old_map = before == nullptr ? nullptr : before->if_a<Map>();
    const Map* new_map = after.if_a<Map>();
    if (old_map != nullptr && new_map != nullptr && !(new_map->empty() && others_ == Others::Unset)) {
      return write(*old_map, *new_map);
    }
    wrote_ = true;
    return transaction_.set(collection_, id_, path_, after);
  }

  store::Transaction& transaction_;
  std::string_view collection_, id_;
  Others others_;
  crdt::Path path_;
  bool wrote_ = false;
};

// Result: whether anything was written.
Result<bool> bring_to(store::Transaction& transaction, std::string_view collection, const NewDocument& document,
                      Others others) {
  const auto stored = transaction.load(collection, document.id);
  if (!stored) return fail(stored.error());
  Map before = stored->view();
  Difference difference(transaction, collection, document.id, others);
  if (auto written = difference.write(before, document.fields); !written) return fail(written.error());
  return difference.wrote();
}

// Result: whether it was new.
Result<bool> insert_new(store::Transaction& transaction, std::string_view collection, const NewDocument& document) {
  auto inserted = transaction.insert(collection, document.id, document.fields);
  if (inserted) return true;
  if (inserted.error().code == ErrorCode::AlreadyExists) return false;
  return fail(std::move(inserted.error()));
}

// What one UPDATE writes to one document.
struct FieldWrite {
  const crdt::Path* path = nullptr;
  std::optional<Value> value;  // nothing unsets the field
  std::int64_t amount = 0;     // of an INCREMENT
};
struct DocumentWrite {
  std::string id;
  std::vector<FieldWrite> fields;
};

Result<std::optional<Value>> stored_value(ByteView body, const crdt::Path& path) {
  const auto item = find_item(body, encode_path(path));
  if (!item) return fail(item.error());
  if (item->empty()) return std::nullopt;
  auto value = CborReader(*item).value();
  if (!value) return fail(value.error());
  return std::optional<Value>(std::move(*value));
}

Result<std::optional<Value>> assigned_value(const Operand& operand, std::string_view id, ByteView body) {
  if (const auto* literal = std::get_if<Value>(&operand)) return std::optional<Value>(*literal);
  const auto& path = std::get<crdt::Path>(operand);
  if (is_id(path)) return std::optional<Value>(Value(id));
  return stored_value(body, path);
}

Result<std::int64_t> amount_of(const std::optional<Value>& value, const crdt::Path& path) {
  const auto* amount = value ? value->if_a<std::int64_t>() : nullptr;
  if (amount != nullptr) return *amount;
  std::string name;
  write_path(name, path);
  return fail(ErrorCode::InvalidArgument, "INCREMENT " + name + ": the amount is " +
                                              (value ? to_json(*value) : "a missing field") +
                                              ", not a whole number; counters count in whole numbers");
}

Result<DocumentWrite> plan_update(const UpdateStatement& statement, std::string_view id, ByteView body) {
  DocumentWrite write{std::string(id), {}};
  for (const Assignment& assignment : statement.assignments) {
    auto before = stored_value(body, assignment.path);
    if (!before) return fail(before.error());
    auto after = assigned_value(assignment.value, id, body);
    if (!after) return fail(after.error());
    if (statement.kind == AssignmentKind::Set) {
      if (*before != *after) write.fields.push_back({&assignment.path, std::move(*after)});
      continue;
    }
    const auto amount = amount_of(*after, assignment.path);
    if (!amount) return fail(amount.error());
    // By 0, a missing counter begins, and another stays as it is. What is none is refused either way.
    if (*amount != 0 || !*before || before->value().if_a<std::int64_t>() == nullptr)
      write.fields.push_back({&assignment.path, std::nullopt, *amount});
  }
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

Status apply_field(store::Transaction& transaction, const UpdateStatement& statement, const std::string& id,
                   const FieldWrite& field) {
  const std::string& collection = statement.collection;
  if (statement.kind == AssignmentKind::Increment)
    return transaction.increment(collection, id, *field.path, field.amount);
  return field.value ? transaction.set(collection, id, *field.path, *field.value)
                     : transaction.unset(collection, id, *field.path);
}

Status apply(store::Transaction& transaction, const UpdateStatement& statement, const DocumentWrite& write) {
  for (const FieldWrite& field : write.fields) {
    if (auto written = apply_field(transaction, statement, write.id, field); !written) return written;
  }
  return {};
}

CompiledSelect compile_where(std::string collection, const Where& where) {
  return compile(SelectStatement{.collection = std::move(collection), .where = where, .order = {}, .limit = {}});
}

}  // namespace

Result<Ids> insert(store::Transaction& transaction, InsertStatement statement, const MakeId& make_id) {
  Ids ids;
  for (Map& fields : statement.documents) {
    auto document = check_document(std::move(fields), make_id);
    if (!document) return fail(document.error());
    auto wrote = insert_new(transaction, statement.collection, *document);
    if (wrote && !*wrote && statement.on_conflict == OnConflict::Fail) {
      return fail(ErrorCode::AlreadyExists, "document \"" + document->id + "\" exists in " + statement.collection +
                                                " already; use UPDATE, or add ON ID CONFLICT DO UPDATE or DO NOTHING");
    }
    if (wrote && !*wrote && statement.on_conflict == OnConflict::DoUpdate) {
      wrote = bring_to(transaction, statement.collection, *document, Others::Keep);
    }
    if (!wrote) return fail(wrote.error());
    if (*wrote) ids.push_back(std::move(document->id));
  }
  return ids;
}

Result<Ids> import(store::Transaction& transaction, std::string_view collection, std::vector<Map> documents,
                   const MakeId& make_id) {
  Ids ids;
  for (Map& fields : documents) {
    auto document = check_document(std::move(fields), make_id);
    if (!document) return fail(document.error());
    auto wrote = insert_new(transaction, collection, *document);
    if (wrote && !*wrote) wrote = bring_to(transaction, collection, *document, Others::Unset);
    if (!wrote) return fail(wrote.error());
    ids.push_back(std::move(document->id));
  }
  return ids;
}

Result<Ids> update(store::Transaction& transaction, const UpdateStatement& statement) {
  if (auto checked = check_assignments(statement); !checked) return fail(checked.error());
  std::vector<DocumentWrite> writes;
  auto selected = run(transaction.connection(), compile_where(statement.collection, statement.where),
                      [&](std::string_view id, ByteView body) -> Status {
                        auto write = plan_update(statement, id, body);
                        if (!write) return fail(write.error());
                        if (!write->fields.empty()) writes.push_back(std::move(*write));
                        return {};
                      });
  if (!selected) return fail(selected.error());
  Ids ids;
  for (DocumentWrite& write : writes) {
    if (auto applied = apply(transaction, statement, write); !applied) return fail(applied.error());
    ids.push_back(std::move(write.id));
  }
  return ids;
}

Result<Ids> erase(store::Transaction& transaction, const DeleteStatement& statement) {
  Ids ids;
  auto selected = run(transaction.connection(), compile_where(statement.collection, statement.where),
                      [&](std::string_view id, ByteView) -> Status {
                        ids.emplace_back(id);
                        return {};
                      });
  if (!selected) return fail(selected.error());
  for (const std::string& id : ids) {
    if (auto removed = transaction.remove(statement.collection, id); !removed) return fail(removed.error());
  }
  return ids;
}

}  // namespace fermata::query
