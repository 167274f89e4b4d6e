#include "cli/record_reader.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "cli/csv_records.hpp"
#include "cli/json_records.hpp"

namespace fermata::cli {
namespace {

struct NamedFormat {
  std::string_view name;
  Format format;
};
constexpr NamedFormat kFormats[] = {
    {"json", Format::Json}, {"ndjson", Format::Lines}, {"jsonl", Format::Lines}, {"csv", Format::Csv}};

struct NamedType {
  std::string_view name;
  ColumnType type;
};
constexpr NamedType kTypes[] = {{"text", ColumnType::Text},           {"integer", ColumnType::Integer},
                                {"real", ColumnType::Real},           {"boolean", ColumnType::Boolean},
                                {"timestamp", ColumnType::Timestamp}, {"json", ColumnType::Json}};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// A file whose first line is an object by itself, and which has more, holds one document a line. A pretty-printed file
// breaks the line inside its first object.
Format format_by_content(ByteSource& source) {
  constexpr std::size_t kLookedAt = std::size_t{1} << 20;
  const std::string_view content = trimmed(source.look_ahead(kLookedAt));
  const std::string_view first = trimmed(content.substr(0, content.find('\n')));
  const bool is_object = first.size() >= 2 && first.front() == '{' && first.back() == '}';
  return is_object && first.size() < content.size() ? Format::Lines : Format::Json;
}

}  // namespace

Result<Format> format_named(std::string_view name) {
  const auto* found = std::ranges::find(kFormats, name, &NamedFormat::name);
  if (found != std::end(kFormats)) return found->format;
  return fail(ErrorCode::InvalidArgument, fmt::format("there is no format \"{}\"; take json, ndjson or csv", name));
}

std::optional<Format> format_of(std::string_view path) {
  const auto* found = std::ranges::find_if(kFormats, [&](const NamedFormat& one) {
    return path.ends_with(one.name) && path.substr(0, path.size() - one.name.size()).ends_with('.');
  });
  return found == std::end(kFormats) ? std::nullopt : std::optional(found->format);
}

Result<ColumnTypes> parse_types(std::string_view list) {
  ColumnTypes types;
  while (!list.empty()) {
    const std::string_view entry = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), entry.size() + 1));
    const std::size_t colon = entry.rfind(':');
    const std::string_view name = entry.substr(0, colon);
    const auto* type =
        std::ranges::find(kTypes, colon == std::string_view::npos ? "" : entry.substr(colon + 1), &NamedType::name);
    if (name.empty() || type == std::end(kTypes)) {
      return fail(
          ErrorCode::InvalidArgument,
          fmt::format("--types takes COLUMN:TYPE with text, integer, real, boolean, timestamp or json, not \"{}\"",
                      entry));
    }
    if (!types.emplace(name, type->type).second)
      return fail(ErrorCode::InvalidArgument, fmt::format("--types names the column \"{}\" twice", name));
  }
  return types;
}

Result<std::unique_ptr<RecordReader>> open_records(const std::string& path, const ReadOptions& options) {
  auto source = ByteSource::open(path);
  if (!source) return fail(source.error());
  std::optional<Format> format = options.format ? options.format : format_of(path);
  // What is called .json may be lines all the same.
  if (!format || (*format == Format::Json && !options.format)) format = format_by_content(*source);
  std::unique_ptr<RecordReader> reader;
  if (*format == Format::Json) reader = std::make_unique<JsonRecords>(std::move(*source), options.id_field);
  if (*format == Format::Lines) reader = std::make_unique<JsonLines>(std::move(*source));
  if (*format == Format::Csv)
    reader = std::make_unique<CsvRecords>(std::move(*source), options.id_field, options.types);
  return reader;
}

}  // namespace fermata::cli
