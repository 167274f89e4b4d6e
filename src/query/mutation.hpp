// The statements that write, run inside one transaction of the store. Each gives the ids that it really wrote.
#pragma once

#include <fermata/record.hpp>
#include <functional>

#include "query/ast.hpp"
#include "store/store.hpp"

namespace fermata::query {

inline constexpr std::size_t kMaxIdBytes = 512;

using MakeId = std::function<std::string()>;
using Ids = std::vector<std::string>;

// Errors of all: those of the store; LimitExceeded for a document that is too large or deep; InvalidArgument for text
// that is not UTF-8 and for an unsuitable "_id".

// What a statement wrote, and what RETURNING says of it.
struct Written {
  Ids ids;
  std::vector<Map> rows;
};
// Whether a document may be evicted; an Error says why not.
using MayEvict = std::function<Status(std::string_view collection, std::string_view id, const Map& fields)>;

// Error: AlreadyExists with OnConflict::Fail.
[[nodiscard]] Result<Written> insert(store::Transaction& transaction, InsertStatement statement, const MakeId& make_id);
// Result: the ids of all documents, written or equal already.
[[nodiscard]] Result<Ids> import(store::Transaction& transaction, std::string_view collection,
                                 std::vector<DocumentRecord> records, const MakeId& make_id);
[[nodiscard]] Result<Written> update(store::Transaction& transaction, const UpdateStatement& statement);
// An empty `may_evict` permits everything.
[[nodiscard]] Result<Written> remove(store::Transaction& transaction, const DeleteStatement& statement,
                                     const MayEvict& may_evict);
// As they are now in the transaction.
[[nodiscard]] Result<Written> returned(store::Transaction& transaction, std::string_view collection,
                                       const std::vector<Projection>& projections, Ids ids);

}  // namespace fermata::query
