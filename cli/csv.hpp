// CSV as RFC 4180 has it: quotes, doubled quotes, commas and line ends within quotes, CRLF or LF. Blanks count.
// Own code, because what Debian has (libcsv, fast-cpp-csv-parser) tells neither where a mistake is nor what was quoted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/byte_source.hpp"

namespace fermata::cli {

struct CsvField {
  std::string text;
  bool quoted = false;
};

struct CsvRow {
  std::uint64_t line = 1;  // where it begins
  std::vector<CsvField> fields;
};

// The next row, blank lines aside; nothing at the end. Errors: Malformed with line and column, and the source then
// stands behind the line of the mistake; LimitExceeded beyond kMaxRecordBytes; Io.
[[nodiscard]] Result<std::optional<CsvRow>> read_csv_row(ByteSource& source);

// Appends a field as a cell: in quotes if it must be, or is to be.
enum class Quotes : std::uint8_t { IfNeeded, Always };
void write_csv_field(std::string& out, std::string_view text, Quotes quotes);

}  // namespace fermata::cli
