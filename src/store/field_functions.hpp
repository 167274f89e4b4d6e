// What SQLite sees of a document's fields: functions on stored bodies. Every connection has them, because the indexes
// that apps make (DESIGN §4) are on them, and so nothing can be written without them.
//
//   fermata_get(body, path)   the field: integers, reals and text as such; booleans 0 and 1; a timestamp as its text;
//                             bytes as a blob; arrays, maps and attachments as blobs of their CBOR; else null
//   fermata_text(body, path)  the field if it is text, the texts of an array a line each, else null
//   fermata_kind(body, path)  0 missing, 1 null or NaN (which is null to SQLite), 2 anything else
//
// A path is a blob: for each name its length in four bytes, the highest first, and its bytes.
#pragma once

#include "crdt/document.hpp"

struct sqlite3;
struct sqlite3_context;

namespace fermata::store {

void register_field_functions(sqlite3* connection);

[[nodiscard]] Bytes encode_path(const crdt::Path& path);
// Where in a body the field begins; empty if there is none. Errors: Malformed.
[[nodiscard]] Result<ByteView> find_item(ByteView body, const crdt::Path& path);
[[nodiscard]] Result<ByteView> find_item(ByteView body, ByteView encoded_path);

// A value as the result of an SQL function, as fermata_get gives it.
void give_value(sqlite3_context* context, const Value& value);

}  // namespace fermata::store
