// What a statement gave. A plain value.
#pragma once

#include <fermata/result.hpp>
#include <fermata/value.hpp>
#include <string>
#include <vector>

namespace fermata {

struct QueryResult {
  // SELECT: one map per row; of `*` a document with its "_id". RETURNING: one per document that was written. EXPLAIN:
  // one per step. SHOW INDEXES: one per index.
  std::vector<Map> items;
  std::vector<std::string> mutated_ids;  // INSERT, UPDATE, DELETE, EVICT: the ids that were written, in order
  // What was done, and may become a problem: documents beyond 256 KiB. One sentence each, for people. Of
  // Database::execute only.
  std::vector<std::string> warnings;
};

}  // namespace fermata
