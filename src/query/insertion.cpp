#include "query/mutation.hpp"

#include <set>

#include "query/counts.hpp"
#include "query/document_check.hpp"
#include "query/select.hpp"

namespace fermata::query {
namespace {

// What becomes of fields that the new version of a document does not have.
enum class Others : std::uint8_t { Keep, Unset };
// What becomes of fields that have the new value already. Written again, they win over what others write meanwhile.
enum class Equals : std::uint8_t { Skip, Rewrite };

// Brings a live document to new fields by writing only where they differ.
class Difference {
 public:
  Difference(store::Transaction& transaction, std::string_view collection, std::string_view id, Others others,
             Equals equals)
      : transaction_(transaction), collection_(collection), id_(id), others_(others), equals_(equals) {}

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
    if (equals_ == Equals::Skip && before != nullptr && *before == after) return {};
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
  Equals equals_;
  crdt::Path path_;
  bool wrote_ = false;
};

// Result: whether anything was written.
Result<bool> bring_to(store::Transaction& transaction, std::string_view collection, const NewDocument& document,
                      Others others, Equals equals, const Counts& counts = {}) {
  const auto stored = transaction.load(collection, document.id);
  if (!stored) return fail(stored.error());
  Map before = stored->view();
  hide_counts(before, *stored, counts);
  Difference difference(transaction, collection, document.id, others, equals);
  if (auto written = difference.write(before, document.fields); !written) return fail(written.error());
  return difference.wrote();
}

// Each where it was named first.
Ids without_repeats(Ids ids) {
  std::set<std::string> seen;
  std::erase_if(ids, [&](const std::string& id) { return !seen.insert(id).second; });
  return ids;
}

// Result: whether it was new.
Result<bool> insert_new(store::Transaction& transaction, std::string_view collection, const NewDocument& document) {
  auto inserted = transaction.insert(collection, document.id, document.fields);
  if (inserted) return true;
  if (inserted.error().code == ErrorCode::AlreadyExists) return false;
  return fail(std::move(inserted.error()));
}

}  // namespace

Result<Written> returned(store::Transaction& transaction, std::string_view collection,
                         const std::vector<Projection>& projections, Ids ids) {
  Written written;
  if (!projections.empty()) {
    for (const std::string& id : ids) {
      const auto document = transaction.load(collection, id);
      if (!document) return fail(document.error());
      auto row = project(projections, id, document->view());
      if (!row) return fail(row.error());
      written.rows.push_back(std::move(*row));
    }
  }
  written.ids = std::move(ids);
  return written;
}

Result<Written> insert(store::Transaction& transaction, InsertStatement statement, const MakeId& make_id) {
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
      wrote = bring_to(transaction, statement.collection, *document, Others::Keep, Equals::Rewrite);
    }
    if (wrote && !*wrote && statement.on_conflict == OnConflict::DoUpdateLocalDiff) {
      wrote = bring_to(transaction, statement.collection, *document, Others::Keep, Equals::Skip);
    }
    if (!wrote) return fail(wrote.error());
    if (*wrote) ids.push_back(std::move(document->id));
  }
  const bool may_repeat =
      statement.on_conflict == OnConflict::DoUpdate || statement.on_conflict == OnConflict::DoUpdateLocalDiff;
  if (may_repeat) ids = without_repeats(std::move(ids));
  return returned(transaction, statement.collection, statement.returning, std::move(ids));
}

Result<Ids> import(store::Transaction& transaction, std::string_view collection, std::vector<DocumentRecord> records,
                   const MakeId& make_id) {
  Ids ids;
  for (DocumentRecord& record : records) {
    const auto counts = counts_in(record);
    if (!counts) return fail(counts.error());
    auto document = check_document(std::move(record.fields), make_id);
    if (!document) return fail(document.error());
    take_counts(document->fields, *counts);
    auto wrote = insert_new(transaction, collection, *document);
    if (wrote && !*wrote) {
      wrote = bring_to(transaction, collection, *document, Others::Unset, Equals::Skip, *counts);
    }
    if (!wrote) return fail(wrote.error());
    if (auto counted = write_counts(transaction, collection, document->id, *counts); !counted) {
      return fail(counted.error());
    }
    ids.push_back(std::move(document->id));
  }
  return ids;
}

}  // namespace fermata::query
