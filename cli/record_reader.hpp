// The documents of a file, one after the other, whatever its format. Never more than one of them in memory.
#pragma once

#include <fermata/record.hpp>
#include <map>
#include <memory>
#include <optional>

#include "cli/byte_source.hpp"

namespace fermata::cli {

enum class Format : std::uint8_t {
  Json,   // an array of objects, one object, or an object whose members are all arrays of objects
  Lines,  // NDJSON: an object a line
  Csv,    // RFC 4180 with a header
};
// "json", "ndjson" (also "jsonl") or "csv". Error: InvalidArgument.
[[nodiscard]] Result<Format> format_named(std::string_view name);
// By the extension; nothing if that says nothing.
[[nodiscard]] std::optional<Format> format_of(std::string_view path);

// What a column of CSV holds. Without one it is told from each value (csv_value.hpp).
enum class ColumnType : std::uint8_t { Text, Integer, Real, Boolean, Timestamp, Json };
using ColumnTypes = std::map<std::string, ColumnType, std::less<>>;
// From "name:text,age:integer". Error: InvalidArgument.
[[nodiscard]] Result<ColumnTypes> parse_types(std::string_view list);

// A record longer than this is refused: it is more than the largest document takes as JSON, which is six times its
// size.
inline constexpr std::size_t kMaxRecordBytes = std::size_t{104} << 20;

// Where a record stands in its file, for messages.
struct Place {
  std::string_view unit;  // "line" or "document"
  std::uint64_t number = 0;

  [[nodiscard]] std::string text() const { return std::string(unit) + ' ' + std::to_string(number); }
};

// One that was read, or why it is none; the message then says where.
struct ReadRecord {
  Place place;
  Result<DocumentRecord> record;
};

class RecordReader {
 public:
  virtual ~RecordReader() = default;
  // Nothing at the end. An Error is the end too: nobody knows where the next record begins. Errors: Io, Malformed,
  // TypeMismatch, LimitExceeded, InvalidArgument (a header); without the name of the file.
  [[nodiscard]] virtual Result<std::optional<ReadRecord>> next() = 0;
  [[nodiscard]] virtual const ByteSource& source() const = 0;
};

struct ReadOptions {
  std::optional<Format> format;  // nothing: by the extension, else by what the file begins with
  std::string id_field = "_id";  // a column of CSV with this name is text
  ColumnTypes types;             // of CSV
};
// "-" for stdin. Errors: NotFound, Io.
[[nodiscard]] Result<std::unique_ptr<RecordReader>> open_records(const std::string& path, const ReadOptions& options);

}  // namespace fermata::cli
