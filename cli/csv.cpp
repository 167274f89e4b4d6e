#include "cli/csv.hpp"

#include <fmt/core.h>

#include "cli/record_reader.hpp"

namespace fermata::cli {
namespace {

bool at_row_end(ByteSource& source) {
  if (source.peek() == '\r') return source.look_ahead(2) == "\r\n" || source.look_ahead(2).size() == 1;
  return source.peek() == '\n' || source.peek() == ByteSource::kEnd;
}

void pass_row_end(ByteSource& source) {
  if (source.peek() == '\r') source.take();
  source.take();
}

class RowReader {
 public:
  explicit RowReader(ByteSource& source) : source_(source) {}

  Result<CsvRow> read() {
    CsvRow row{.line = source_.line(), .fields = {}};
    while (true) {
      ++column_;
      auto field = read_field();
      if (!field) return fail(field.error());
      row.fields.push_back(std::move(*field));
      if (at_row_end(source_)) break;
      source_.take();  // the comma
    }
    pass_row_end(source_);
    return row;
  }

 private:
  Result<CsvField> read_field() {
    if (source_.peek() == '"') return quoted_field();
    CsvField field;
    while (!at_row_end(source_) && source_.peek() != ',') {
      if (source_.peek() == '"') return mistake("a quote within a field that does not begin with one");
      if (auto added = add(field, source_.take_run(",\"\r\n")); !added) return fail(added.error());
      // One that ends no row is text.
      if (source_.peek() == '\r' && !at_row_end(source_)) field.text += static_cast<char>(source_.take());
    }
    return field;
  }

  Result<CsvField> quoted_field() {
    CsvField field{.text = {}, .quoted = true};
    const std::uint64_t opened = source_.line();
    source_.take();
    while (true) {
      if (source_.peek() == ByteSource::kEnd)
        return mistake(fmt::format("the quote that opens in line {} is never closed", opened));
      if (source_.peek() == '"') {
        source_.take();
        if (source_.peek() != '"') break;
        field.text += static_cast<char>(source_.take());
      }
      if (auto added = add(field, source_.take_run("\"")); !added) return fail(added.error());
    }
    if (source_.peek() == ',' || at_row_end(source_)) return field;
    return mistake("text behind the closing quote");
  }

  Status add(CsvField& field, std::string_view text) {
    field.text += text;
    bytes_ += text.size();
    if (bytes_ <= kMaxRecordBytes) return {};
    return fail(ErrorCode::LimitExceeded, fmt::format("line {}, column {}: a row goes on beyond {} MiB", source_.line(),
                                                      column_, kMaxRecordBytes >> 20));
  }

  tl::unexpected<Error> mistake(std::string_view what) {
    auto error = fail(ErrorCode::Malformed, fmt::format("line {}, column {}: {}", source_.line(), column_, what));
    while (source_.peek() != '\n' && source_.peek() != ByteSource::kEnd) source_.take();
    source_.take();
    return error;
  }

  ByteSource& source_;
  std::size_t column_ = 0, bytes_ = 0;
};

}  // namespace

Result<std::optional<CsvRow>> read_csv_row(ByteSource& source) {
  while (source.peek() != ByteSource::kEnd && at_row_end(source)) pass_row_end(source);
  if (!source.status()) return fail(source.status().error());
  if (source.peek() == ByteSource::kEnd) return std::nullopt;
  auto row = RowReader(source).read();
  if (!source.status()) return fail(source.status().error());
  if (!row) return fail(row.error());
  return std::optional<CsvRow>(std::move(*row));
}

void write_csv_field(std::string& out, std::string_view text, Quotes quotes) {
  const bool needed = text.find_first_of(",\"\r\n") != std::string_view::npos;
  if (!needed && quotes == Quotes::IfNeeded) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace fermata::cli
