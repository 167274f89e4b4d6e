#include "query/catalog.hpp"

#include <algorithm>

#include "query/literals.hpp"

namespace fermata::query {

Result<std::uint64_t> Catalog::living_in(std::string_view collection) {
  const auto number = connection_.collection_number(collection);
  if (!number || *number == 0) return number;
  auto statement = connection_.prepare("SELECT live FROM state WHERE id = ?");
  if (!statement) return fail(statement.error());
  const auto found = statement->bind(1, *number).step();
  if (!found) return fail(found.error());
  return *found ? statement->number(0) : 0;
}

Result<std::vector<Index>> Catalog::indexes_of(std::string_view collection) {
  auto all = store::load_indexes(connection_);
  if (all) std::erase_if(*all, [&](const Index& index) { return index.collection != collection; });
  return all;
}

Result<Index> Catalog::full_text_index(std::string_view collection, std::string_view name_or_field) {
  auto all = indexes_of(collection);
  if (!all) return fail(all.error());
  const auto found = std::find_if(all->begin(), all->end(), [&](const Index& index) {
    return index.kind == IndexKind::FullText &&
           (index.name == name_or_field ||
            std::any_of(index.fields.begin(), index.fields.end(),
                        [&](const IndexedField& field) { return path_text(field.path) == name_or_field; }));
  });
  if (found != all->end()) return *found;
  return fail(ErrorCode::InvalidArgument, std::string(name_or_field) + " MATCH: " + std::string(collection) +
                                              " has no full-text index of that name or with that field; CREATE "
                                              "FULLTEXT INDEX name ON " +
                                              std::string(collection) + " (" + std::string(name_or_field) + ") first");
}

}  // namespace fermata::query
