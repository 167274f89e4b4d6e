// The statements that write, run inside one transaction of the store. Each gives the ids that it really wrote.
#pragma once

#include <functional>

#include "query/ast.hpp"
#include "store/store.hpp"

namespace fermata::query {

inline constexpr std::size_t kMaxIdBytes = 512;

using MakeId = std::function<std::string()>;
using Ids = std::vector<std::string>;

// Errors of all: those of the store; LimitExceeded for a document that is too large or deep; InvalidArgument for text
// that is not UTF-8 and for an unsuitable "_id".

// Error: AlreadyExists with OnConflict::Fail.
[[nodiscard]] Result<Ids> insert(store::Transaction& transaction, InsertStatement statement, const MakeId& make_id);
// Result: the ids of all documents, written or equal already.
[[nodiscard]] Result<Ids> import(store::Transaction& transaction, std::string_view collection,
                                 std::vector<Map> documents, const MakeId& make_id);
[[nodiscard]] Result<Ids> update(store::Transaction& transaction, const UpdateStatement& statement);
[[nodiscard]] Result<Ids> erase(store::Transaction& transaction, const DeleteStatement& statement);

}  // namespace fermata::query
