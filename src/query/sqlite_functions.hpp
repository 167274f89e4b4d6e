// The functions that compiled statements call. All are deterministic and safe on corrupt bodies (they give an error).
//   fermata_get(body, path)   the field as a storage class (scalar.hpp); NULL where nothing is
//   fermata_kind(body, path)  0 missing, 1 null, 2 anything else
//   fermata_truth(value), fermata_like(value, pattern)  as truth_of() and like()
// They walk the CBOR of the body and build no Value.
#pragma once

#include "crdt/document.hpp"

struct sqlite3;

namespace fermata::query {

void register_functions(sqlite3* connection);

// A path as the functions take it: a blob of (length, name) pairs.
[[nodiscard]] Bytes encode_path(const crdt::Path& path);

// The rest of `body` from the item at the encoded path on; empty if it is missing. Error: Malformed.
[[nodiscard]] Result<ByteView> find_item(ByteView body, ByteView encoded_path);

}  // namespace fermata::query
