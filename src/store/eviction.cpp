// What goes without a trace, and what is then not known any more.
#include <fmt/format.h>

#include "store/transaction_state.hpp"

namespace fermata::store {

Status Transaction::State::evict(std::string_view collection, std::string_view id) {
  auto found = entry(collection, id);
  if (!found) {
    return fail(std::move(found).error());
  }
  Entry& target = **found;
  if (target.seq != 0) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("document '{}' of '{}' was changed in this transaction, so others must get it; evict it in "
                            "a later one",
                            id, collection));
  }
  if (!target.alive_before) {
    return fail(ErrorCode::NotFound, fmt::format("there is no document '{}' in '{}' to evict", id, collection));
  }
  auto sum = digest(target.collection);
  if (!sum) {
    return note(fail(std::move(sum).error()));
  }
  if (auto deleted = note(delete_row(target.rowid)); !deleted) {
    return deleted;
  }
  if (auto forgotten = note(forget_known(collection)); !forgotten) {
    return forgotten;
  }
  (*sum)->remove(target.version_before);
  unnamed.insert(target.names.begin(), target.names.end());
  remember_before(target);
  evicted.push_back({target.collection, target.id, target.version_before, std::move(target.before)});
  last_met = nullptr;
  entries.erase(key_of(collection, id));
  return {};
}

Result<const Store::Impl::Graves*> Transaction::State::graves_of(std::string_view collection) {
  if (const auto changed_here = graves.find(collection); changed_here != graves.end()) {
    return &changed_here->second;
  }
  return store.load_graves(collection);
}

Status Transaction::State::forget_known(std::string_view collection) {
  auto current = graves_of(collection);
  if (!current) {
    return fail(std::move(current).error());
  }
  Store::Impl::Graves next = **current;
  next.known.clear();
  next.evicted = true;
  if (auto saved = store.save_graves(collection, next); !saved) {
    return saved;
  }
  graves.insert_or_assign(std::string(collection), std::move(next));
  return {};
}

Status Transaction::State::delete_row(std::uint64_t rowid) {
  auto statement = store.writer->prepare("DELETE FROM documents WHERE rowid = ?");
  if (!statement) {
    return fail(std::move(statement).error());
  }
  return statement->bind(1, rowid).run();
}

}  // namespace fermata::store
