// Runs a SELECT: SQLite finds and orders the documents, and what is selected of them is computed here, so that every
// value keeps its type.
#pragma once

#include <fermata/database.hpp>

#include "query/sql.hpp"
#include "store/store.hpp"

namespace fermata::query {

// One map per row: a document with its "_id", or what was selected, without what is missing; of a join `*` is a map of
// the documents by their collections' names.
[[nodiscard]] Result<std::vector<Map>> select_rows(store::Connection& connection, const SelectStatement& select);

// On a snapshot of its own.
[[nodiscard]] Result<QueryResult> read_all(store::Store& store, const SelectStatement& select);

// What RETURNING gives of one document. `fields` without "_id". Error: LimitExceeded (query/budget.hpp).
[[nodiscard]] Result<Map> project(const std::vector<Projection>& projections, std::string_view id, const Map& fields);

// One row for each step that SQLite takes, in words.
[[nodiscard]] Result<std::vector<Map>> explain(store::Connection& connection, const SelectStatement& select);

// Whether a change of this document may change the result. `view` without "_id".
[[nodiscard]] bool concerns(const SelectStatement& select, std::string_view collection, std::string_view id,
                            const Map& view);

}  // namespace fermata::query
