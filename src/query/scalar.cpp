#include "query/scalar.hpp"

#include <algorithm>
#include <cmath>

#include "base/cbor.hpp"
#include "query/like.hpp"

namespace fermata::query {
namespace {

// Exact, where converting the integer to a double would round.
std::weak_ordering compare_mixed(std::int64_t integer, double real) {
  constexpr double kTooLarge = 9223372036854775808.0;  // 2^63
  if (real >= kTooLarge) return std::weak_ordering::less;
  if (real < -kTooLarge) return std::weak_ordering::greater;
  const double whole = std::trunc(real);
  const auto truncated = static_cast<std::int64_t>(whole);
  if (integer != truncated) return integer <=> truncated;
  if (whole == real) return std::weak_ordering::equivalent;
  return whole < real ? std::weak_ordering::less : std::weak_ordering::greater;
}

std::weak_ordering compare_reals(double left, double right) {
  if (left == right) return std::weak_ordering::equivalent;
  return left < right ? std::weak_ordering::less : std::weak_ordering::greater;
}

std::weak_ordering compare_numbers(const Scalar& left, const Scalar& right) {
  const auto* left_integer = std::get_if<std::int64_t>(&left);
  const auto* right_integer = std::get_if<std::int64_t>(&right);
  if (left_integer != nullptr && right_integer != nullptr) return *left_integer <=> *right_integer;
  if (left_integer != nullptr) return compare_mixed(*left_integer, std::get<double>(right));
  if (right_integer != nullptr) return 0 <=> compare_mixed(*right_integer, std::get<double>(left));
  return compare_reals(std::get<double>(left), std::get<double>(right));
}

enum class StorageClass : std::uint8_t { Null, Number, Text, Blob };

StorageClass storage_class(const Scalar& value) {
  if (std::holds_alternative<Null>(value)) return StorageClass::Null;
  if (std::holds_alternative<Bytes>(value)) return StorageClass::Blob;
  return text_of(value) ? StorageClass::Text : StorageClass::Number;
}

}  // namespace

bool counts_as_null(const Value& value) {
  const auto* real = value.if_a<double>();
  return value.is_null() || (real != nullptr && std::isnan(*real));
}

Scalar to_scalar(const Value& value) {
  if (counts_as_null(value)) return Null{};
  if (const auto* boolean = value.if_a<bool>()) return std::int64_t{*boolean ? 1 : 0};
  if (const auto* integer = value.if_a<std::int64_t>()) return *integer;
  if (const auto* text = value.if_a<std::string>()) return std::string_view(*text);
  if (const auto* bytes = value.if_a<Bytes>()) return *bytes;
  if (const auto* real = value.if_a<double>()) return *real;
  if (const auto* timestamp = value.if_a<Timestamp>()) return TimestampText(*timestamp);
  return encode_value(value);
}

std::optional<std::string_view> text_of(const Scalar& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) return *text;
  if (const auto* timestamp = std::get_if<TimestampText>(&value)) return timestamp->view();
  return std::nullopt;
}

std::optional<std::weak_ordering> compare(const Scalar& left, const Scalar& right) {
  const StorageClass left_class = storage_class(left);
  const StorageClass right_class = storage_class(right);
  if (left_class == StorageClass::Null || right_class == StorageClass::Null) return std::nullopt;
  if (left_class != right_class) return left_class <=> right_class;
  if (left_class == StorageClass::Number) return compare_numbers(left, right);
  if (left_class == StorageClass::Text) return *text_of(left) <=> *text_of(right);
  const Bytes& a = std::get<Bytes>(left);
  const Bytes& b = std::get<Bytes>(right);
  return std::lexicographical_compare_three_way(a.begin(), a.end(), b.begin(), b.end());
}

Truth truth_of(const Scalar& value) {
  if (std::holds_alternative<Null>(value)) return Truth::Unknown;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return truth(*integer != 0);
  if (const auto* real = std::get_if<double>(&value)) return truth(*real != 0);
  return Truth::False;
}

Truth like(const Scalar& value, const Scalar& pattern) {
  if (std::holds_alternative<Null>(value) || std::holds_alternative<Null>(pattern)) return Truth::Unknown;
  const auto text = text_of(value);
  const auto wanted = text_of(pattern);
  return truth(text && wanted && like_text(*text, *wanted));
}

Bytes distinct_key(const Value& value) {
  const Scalar scalar = to_scalar(value);
  const auto* integer = std::get_if<std::int64_t>(&scalar);
  const auto* real = std::get_if<double>(&scalar);
  constexpr double kTooLarge = 9223372036854775808.0;  // 2^63
  const bool is_whole = real != nullptr && std::trunc(*real) == *real && *real < kTooLarge && *real >= -kTooLarge;
  CborWriter out;
  if (std::holds_alternative<Null>(scalar)) {
    out.null();
  } else if (integer != nullptr || is_whole) {
    out.integer(integer != nullptr ? *integer : static_cast<std::int64_t>(*real));
  } else if (const auto text = text_of(scalar)) {
    out.value(Value(*text));
  } else {
    out.value(value);
  }
  return out.take();
}

}  // namespace fermata::query
