#include "cli/csv_records.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "cli/csv_value.hpp"
#include "cli/text.hpp"

namespace fermata::cli {
namespace {

FieldPath path_of(std::string_view name) {
  FieldPath path;
  while (true) {
    const std::size_t dot = name.find('.');
    path.emplace_back(name.substr(0, dot));
    if (dot == std::string_view::npos) return path;
    name.remove_prefix(dot + 1);
  }
}

// False if a value stands in the way.
bool put(Map& fields, const FieldPath& path, Value value) {
  Map* level = &fields;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    level = level->emplace(path[i], Map()).first->second.if_a<Map>();
    if (level == nullptr) return false;
  }
  return level->emplace(path.back(), std::move(value)).second;
}

}  // namespace

Result<std::optional<ReadRecord>> CsvRecords::next() {
  if (columns_.empty()) {
    if (auto read = read_header(); !read) return fail(read.error());
    if (columns_.empty()) return std::nullopt;
  }
  const std::uint64_t line = source_.line();
  auto row = read_csv_row(source_);
  if (!row && row.error().code != ErrorCode::Malformed) return fail(row.error());
  if (!row) return ReadRecord{Place{"line", line}, fail(row.error())};
  if (!*row) return std::nullopt;
  return ReadRecord{Place{"line", (*row)->line}, record_of(**row)};
}

Status CsvRecords::read_header() {
  auto header = read_csv_row(source_);
  if (!header) return fail(header.error());
  if (!*header) return {};
  for (const CsvField& field : (*header)->fields) {
    if (auto added = add_column(field.text); !added) return added;
  }
  for (const auto& [name, type] : types_) {
    const auto found =
        std::find_if(columns_.begin(), columns_.end(), [&name = name](const Column& c) { return c.name == name; });
    if (found == columns_.end())
      return fail(ErrorCode::InvalidArgument, fmt::format("--types names the column \"{}\", which is not there", name));
    found->type = type;
  }
  return {};
}

Status CsvRecords::add_column(const std::string& name) {
  const auto here = [&](std::string_view what) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("line 1, column {}: {}; the first line names the fields", columns_.size() + 1, what));
  };
  FieldPath path = path_of(name);
  if (!is_utf8(name)) return here("the name is not UTF-8");
  if (std::find(path.begin(), path.end(), "") != path.end())
    return here(name.empty() ? "a name is missing" : fmt::format("\"{}\" has an empty name between its dots", name));
  if (std::any_of(columns_.begin(), columns_.end(), [&](const Column& column) { return column.name == name; }))
    return here(fmt::format("\"{}\" is there twice", name));
  // An id is text, whatever it looks like.
  const bool is_id = name == id_field_ || name == "_id";
  columns_.push_back({name, std::move(path), is_id ? std::optional(ColumnType::Text) : std::nullopt});
  return {};
}

Result<DocumentRecord> CsvRecords::record_of(const CsvRow& row) const {
  const auto here = [&](std::size_t column, std::string_view what) {
    return fail(ErrorCode::Malformed,
                fmt::format("line {}, column {} ({}): {}", row.line, column + 1, columns_[column].name, what));
  };
  if (row.fields.size() != columns_.size()) {
    return fail(ErrorCode::Malformed, fmt::format("line {} has {}, and the header names {}", row.line,
                                                  counted(row.fields.size(), "field"), columns_.size()));
  }
  DocumentRecord record;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const CsvField& cell = row.fields[i];
    if (!is_utf8(cell.text)) return here(i, "the text is not UTF-8");
    const auto& type = columns_[i].type;
    auto value = type ? value_of_cell(cell, *type) : Result<std::optional<Value>>(value_of_cell(cell));
    if (!value) return here(i, value.error().message);
    if (*value && !put(record.fields, columns_[i].path, std::move(**value)))
      return here(i, "a field cannot have both a value and fields of its own");
  }
  return record;
}

}  // namespace fermata::cli
