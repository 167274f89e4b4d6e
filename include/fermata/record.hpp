// Documents on their way in and out of a database: with what a plain value does not tell.
#pragma once

#include <fermata/value.hpp>
#include <string>
#include <vector>

namespace fermata {

// The names that lead to a field, outermost first.
using FieldPath = std::vector<std::string>;

// A document and which of its integers are counters. A plain value.
struct DocumentRecord {
  Map fields;                       // with its "_id"
  std::vector<FieldPath> counters;  // each leads to an integer in `fields`, through maps alone
};

// One line of JSON, as to_json() of the fields writes it, with {"$counter": n} for a counter.
[[nodiscard]] std::string to_json(const DocumentRecord& record);

// Reads it back. Errors: as from_json(); Malformed for a "$counter" that is no integer of 64 bits or stands in an
// array, which is one value that cannot be counted in; TypeMismatch if the text is no object.
[[nodiscard]] Result<DocumentRecord> record_from_json(std::string_view text, unsigned wrapping = 0);

}  // namespace fermata
