// Counters of documents that are imported: brought to a number by counting, since setting them would make them plain
// numbers.
#pragma once

#include <fermata/record.hpp>
#include <map>

#include "store/store.hpp"

namespace fermata::query {

// What counters are to show.
using Counts = std::map<crdt::Path, std::int64_t>;

// Those of a record. Errors: InvalidArgument if a path leads to no integer, LimitExceeded if to one that no counter
// shows.
[[nodiscard]] Result<Counts> counts_in(const DocumentRecord& record);

// Takes them out of the document's fields, and the maps that held nothing else.
void take_counts(Map& fields, const Counts& counts);

// Takes them out of the view of a stored document as well, where they are counters there already.
void hide_counts(Map& view, const crdt::Document& stored, const Counts& counts);

// Counts up or down to them, or begins anew what cannot be counted there; what shows its number already is not written.
// Where something else stands, nothing may.
[[nodiscard]] Status write_counts(store::Transaction& transaction, std::string_view collection, std::string_view id,
                                  const Counts& counts);

}  // namespace fermata::query
