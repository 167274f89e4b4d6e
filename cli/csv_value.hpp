// What the text of a CSV cell stands for, and back.
//
// In quotes it is text. Else true and false (also TRUE and FALSE) are booleans; whole numbers as JSON writes them that
// fit into 64 bits are integers; numbers with a point or an exponent, as JSON writes them, that are finite are reals;
// an empty cell is a missing field; all else is text: numbers with leading zeros or a plus, and whole numbers beyond 64
// bits, which no real could hold exactly.
#pragma once

#include <optional>

#include "cli/csv.hpp"
#include "cli/record_reader.hpp"

namespace fermata::cli {

// Nothing for a missing field.
[[nodiscard]] std::optional<Value> value_of_cell(const CsvField& cell);
// As this type, quotes or not; an empty cell is missing, but as text in quotes it is empty text. Error: Malformed,
// naming the text and the type.
[[nodiscard]] Result<std::optional<Value>> value_of_cell(const CsvField& cell, ColumnType type);

// How a value was written.
enum class CellKind : std::uint8_t {
  Exact,   // value_of_cell() gives it back
  Absent,  // null or an empty map: the cell is empty
  Time,    // the text of a timestamp; with the type timestamp it is read back
  Json,    // its JSON as text; with the type json it is read back
};
CellKind write_cell(std::string& out, const Value& value);

}  // namespace fermata::cli
