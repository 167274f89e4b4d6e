// How values compare: as SQLite compares values that have no affinity. The matcher computes it here; SQLite computes it
// itself from what sqlite_functions.hpp hands it. tests/unit/query/agreement_test.cpp holds the two together.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "base/bytes.hpp"

namespace fermata::query {

// A value as one of SQLite's storage classes, in their order. Booleans are 0 and 1, NaN is null, arrays and maps are
// blobs of their CBOR, and so are attachments. Text is a view into the Value; a timestamp is its text.
struct Null {};
using Scalar = std::variant<Null, std::int64_t, double, std::string_view, Bytes, TimestampText>;

[[nodiscard]] Scalar to_scalar(const Value& value);
// Null, or NaN, which is looked at as null wherever the language looks at a value.
[[nodiscard]] bool counts_as_null(const Value& value);
// The text of one that is text; lives as long as it.
[[nodiscard]] std::optional<std::string_view> text_of(const Scalar& value);

// Numbers < text < blobs. Nothing if either is null.
[[nodiscard]] std::optional<std::weak_ordering> compare(const Scalar& left, const Scalar& right);

// Three-valued logic.
enum class Truth : std::uint8_t { False, Unknown, True };
[[nodiscard]] constexpr Truth truth(bool value) {
  return value ? Truth::True : Truth::False;
}
[[nodiscard]] constexpr Truth negate(Truth value) {
  return value == Truth::Unknown ? value : truth(value == Truth::False);
}

// A value standing alone as a condition: a number is true unless zero, null is unknown, all else is false.
[[nodiscard]] Truth truth_of(const Scalar& value);

// % is any text, _ is any one character; ASCII letters match in either case. Null is unknown, other than text is false.
[[nodiscard]] Truth like(const Scalar& value, const Scalar& pattern);

// The same bytes for values that the language takes for equal, 1, 1.0 and true among them; null is one more value.
[[nodiscard]] Bytes distinct_key(const Value& value);

}  // namespace fermata::query
