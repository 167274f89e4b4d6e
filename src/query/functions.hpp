// The functions and operators of the language: each a name, how many arguments it takes, and what it does to values.
// Pure and deterministic: the same on every device, because subscriptions use them too.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.hpp"

namespace fermata::query {

// Null arguments stand for missing fields.
using Arguments = std::span<const Value* const>;

// What a function does with arguments that are missing, or count as null.
enum class Nulls : std::uint8_t {
  GiveNull,  // the result is null, and the function is not called
  Handled,   // the function sees them
};
// How the language writes it.
enum class Notation : std::uint8_t { Call, Infix, Prefix, Element, Member };

struct Function {
  std::string_view name;
  std::size_t least = 1, most = 1;                             // how many arguments
  std::optional<Value> (*run)(Arguments arguments) = nullptr;  // nothing: missing
  Nulls nulls = Nulls::GiveNull;
  Notation notation = Notation::Call;
};

// In whatever case; nullptr if there is none. Operators are found by their sign; "[]" and "." take an element of an
// array and a member of a map.
[[nodiscard]] const Function* find_function(std::string_view name);
[[nodiscard]] std::optional<Value> call(const Function& function, Arguments arguments);
// All names, for suggestions.
[[nodiscard]] std::span<const Function> functions();

// The families, joined in functions.cpp.
[[nodiscard]] std::span<const Function> number_functions();
[[nodiscard]] std::span<const Function> text_functions();
[[nodiscard]] std::span<const Function> collection_functions();
[[nodiscard]] std::span<const Function> time_functions();

// No function makes a longer text, or a larger array than a document could hold: a peer's subscription may nest them.
inline constexpr std::size_t kMaxTextBytes = 1u << 20;
inline constexpr std::size_t kMaxElements = 250'000;

// As many arguments as one likes, within reason.
inline constexpr std::size_t kAnyNumber = 64;

// A count of something.
[[nodiscard]] inline Value whole(std::int64_t count) {
  return Value(static_cast<long long>(count));
}
[[nodiscard]] inline Value whole_size(std::size_t count) {
  return whole(static_cast<std::int64_t>(count));
}

// A value as text: what is text stays, numbers, booleans and timestamps are written out; nothing for all else.
[[nodiscard]] std::optional<std::string> as_text(const Value& value);

}  // namespace fermata::query
