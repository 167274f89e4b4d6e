#include "cli/csv_value.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace fermata::cli {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// -?(0|[1-9][0-9]*), and what follows it.
std::optional<std::string_view> behind_whole_part(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const auto digits = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
  if (digits == 0 || (digits > 1 && text.front() == '0')) return std::nullopt;
  return text.substr(digits);
}

bool takes_digits(std::string_view& text) {
  const auto digits = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
  text.remove_prefix(digits);
  return digits > 0;
}

std::optional<std::int64_t> integer_in(std::string_view text) {
  const auto rest = behind_whole_part(text);
  if (!rest || !rest->empty() || text == "-0") return std::nullopt;
  std::int64_t integer = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), integer);
  return error == std::errc() ? std::optional(integer) : std::nullopt;
}

std::optional<double> real_in(std::string_view text) {
  auto rest = behind_whole_part(text);
  if (!rest || rest->empty()) return std::nullopt;
  if (rest->starts_with('.')) {
    rest->remove_prefix(1);
    if (!takes_digits(*rest)) return std::nullopt;
  }
  if (rest->starts_with('e') || rest->starts_with('E')) {
    rest->remove_prefix(1);
    if (rest->starts_with('+') || rest->starts_with('-')) rest->remove_prefix(1);
    if (!takes_digits(*rest)) return std::nullopt;
  }
  double real = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), real);
  return rest->empty() && error == std::errc() && std::isfinite(real) ? std::optional(real) : std::nullopt;
}

std::optional<bool> boolean_in(std::string_view text) {
  if (text == "true" || text == "TRUE") return true;
  if (text == "false" || text == "FALSE") return false;
  return std::nullopt;
}

Value plain_value(std::string_view text) {
  if (const auto boolean = boolean_in(text)) return *boolean;
  if (const auto integer = integer_in(text)) return Value(static_cast<long long>(*integer));
  if (const auto real = real_in(text)) return *real;
  return Value(text);
}

tl::unexpected<Error> not_a(std::string_view text, std::string_view type) {
  constexpr std::size_t kShown = 60;
  return fail(ErrorCode::Malformed, fmt::format("\"{}\" is no {}", text.substr(0, kShown), type));
}

}  // namespace

std::optional<Value> value_of_cell(const CsvField& cell) {
  if (cell.quoted) return Value(cell.text);
  if (cell.text.empty()) return std::nullopt;
  return plain_value(cell.text);
}

Result<std::optional<Value>> value_of_cell(const CsvField& cell, ColumnType type) {
  const std::string_view text = cell.text;
  if (text.empty() && !(type == ColumnType::Text && cell.quoted)) return std::nullopt;
  switch (type) {
    case ColumnType::Text:
      break;
    case ColumnType::Integer:
      if (const auto integer = integer_in(text)) return Value(static_cast<long long>(*integer));
      return not_a(text, "integer of 64 bits");
    case ColumnType::Real:
      if (const auto real = real_in(text)) return Value(*real);
      if (const auto integer = integer_in(text)) return Value(static_cast<double>(*integer));
      return not_a(text, "real number");
    case ColumnType::Boolean:
      if (const auto boolean = boolean_in(text)) return Value(*boolean);
      return not_a(text, "boolean; they are true and false");
    case ColumnType::Timestamp:
      if (const auto timestamp = Timestamp::parse(text)) return Value(*timestamp);
      return not_a(text, "date and time of RFC 3339");
    case ColumnType::Json:
      auto value = from_json(text);
      if (!value) return not_a(text, "JSON: " + value.error().message);
      return std::move(*value);
  }
  return Value(text);
}

CellKind write_cell(std::string& out, const Value& value) {
  const Map* map = value.if_a<Map>();
  if (value.is_null() || (map != nullptr && map->empty())) return CellKind::Absent;
  if (const auto* text = value.if_a<std::string>()) {
    const bool looks_plain = !text->empty() && plain_value(*text).if_a<std::string>() != nullptr;
    write_csv_field(out, *text, looks_plain ? Quotes::IfNeeded : Quotes::Always);
    return CellKind::Exact;
  }
  if (const auto* timestamp = value.if_a<Timestamp>()) {
    write_csv_field(out, timestamp->to_text(), Quotes::IfNeeded);
    return CellKind::Time;
  }
  const std::string json = to_json(value);
  const auto* real = value.if_a<double>();
  const bool is_plain = value.if_a<bool>() != nullptr || value.if_a<std::int64_t>() != nullptr ||
                        (real != nullptr && std::isfinite(*real));
  write_csv_field(out, json, is_plain ? Quotes::IfNeeded : Quotes::Always);
  return is_plain ? CellKind::Exact : CellKind::Json;
}

}  // namespace fermata::cli
