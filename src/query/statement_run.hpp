// Runs one statement of any kind on a connection or in a transaction.
#pragma once

#include <fermata/database.hpp>

#include "query/mutation.hpp"

namespace fermata::query {

// SELECT, EXPLAIN, SHOW.
[[nodiscard]] bool only_reads(const Statement& statement);
// Whether that takes one look at the database. Others look twice: who joins or searches text at the indexes first.
[[nodiscard]] bool reads_once(const Statement& statement);
// Whether a result says that something was written, and so must be committed.
[[nodiscard]] bool has_written(const Statement& statement, const QueryResult& result);

// One that only reads.
[[nodiscard]] Result<QueryResult> run_reading(store::Connection& connection, const Statement& statement);

struct WriteContext {
  MakeId make_id;
  MayEvict may_evict;  // empty: everything
};
// Any. After an error the transaction must be given up.
[[nodiscard]] Result<QueryResult> run_writing(store::Transaction& transaction, Statement&& statement,
                                              const WriteContext& context);

}  // namespace fermata::query
