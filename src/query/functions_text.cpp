#include <algorithm>
#include <charconv>
#include <cmath>

#include "query/functions.hpp"
#include "query/text_search.hpp"

namespace fermata::query {
namespace {

const std::string* text_of(const Value* value) {
  return value->if_a<std::string>();
}

bool begins_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

// Where the character with this number begins; the end if there are fewer.
std::size_t offset_of(std::string_view text, std::size_t number) {
  std::size_t offset = 0;
  for (; offset < text.size(); ++offset) {
    if (begins_character(text[offset]) && number-- == 0) return offset;
  }
  return offset;
}

// Letters beyond ASCII stay: how they change depends on a language.
template <char kFrom, char kTo, char kNew>
std::optional<Value> change_case(Arguments arguments) {
  const std::string* text = text_of(arguments[0]);
  if (text == nullptr) return Value(nullptr);
  std::string changed = *text;
  for (char& c : changed) {
    if (c >= kFrom && c <= kTo) c = static_cast<char>(c - kFrom + kNew);
  }
  return Value(std::move(changed));
}

enum class Side : std::uint8_t { Left, Right, Both };

template <Side kSide>
std::optional<Value> trim(Arguments arguments) {
  const std::string* text = text_of(arguments[0]);
  if (text == nullptr) return Value(nullptr);
  constexpr const char* kSpace = " \t\n\r\f\v";
  std::string_view rest = *text;
  if (kSide != Side::Right) rest.remove_prefix(std::min(rest.find_first_not_of(kSpace), rest.size()));
  if (kSide != Side::Left) rest = rest.substr(0, rest.find_last_not_of(kSpace) + 1);
  return Value(rest);
}

std::optional<Value> length(Arguments arguments) {
  const std::string* text = text_of(arguments[0]);
  return text == nullptr ? Value(nullptr) : whole_size(characters(*text));
}

std::optional<Value> byte_length(Arguments arguments) {
  if (const std::string* text = text_of(arguments[0])) return whole_size(text->size());
  const auto* bytes = arguments[0]->if_a<Bytes>();
  return bytes == nullptr ? Value(nullptr) : whole_size(bytes->size());
}

// substr(text, first[, count]): the first character is 1; a negative `first` counts from the end.
std::optional<Value> substring(Arguments arguments) {
  const std::string* text = text_of(arguments[0]);
  const auto* first = arguments[1]->if_a<std::int64_t>();
  const auto* count = arguments.size() > 2 ? arguments[2]->if_a<std::int64_t>() : nullptr;
  if (text == nullptr || first == nullptr || (arguments.size() > 2 && count == nullptr)) return Value(nullptr);
  const auto size = static_cast<std::int64_t>(characters(*text));
  const std::int64_t wanted = count == nullptr ? size : std::clamp<std::int64_t>(*count, 0, size);
  std::int64_t from = std::clamp<std::int64_t>(*first, -size - 1, size + 1);
  from = from < 0 ? std::max<std::int64_t>(from + size, 0) : std::max<std::int64_t>(from - 1, 0);
  const std::size_t begin = offset_of(*text, static_cast<std::size_t>(from));
  const std::string_view rest = std::string_view(*text).substr(begin);
  return Value(rest.substr(0, offset_of(rest, static_cast<std::size_t>(wanted))));
}

template <class Test>
std::optional<Value> compare_texts(Arguments arguments, Test test) {
  const std::string* text = text_of(arguments[0]);
  const std::string* part = text_of(arguments[1]);
  if (text == nullptr || part == nullptr) return Value(nullptr);
  return Value(test(*text, *part));
}
std::optional<Value> starts_with(Arguments arguments) {
  return compare_texts(arguments, [](const auto& text, const auto& part) { return text.starts_with(part); });
}
std::optional<Value> ends_with(Arguments arguments) {
  return compare_texts(arguments, [](const auto& text, const auto& part) { return text.ends_with(part); });
}
// The number of the first character where the part begins, or 0.
std::optional<Value> position(Arguments arguments) {
  return compare_texts(arguments, [](const std::string& text, const std::string& part) {
    const std::size_t found = find_part(text, part);
    if (found == std::string::npos) return 0ll;
    return static_cast<long long>(characters(std::string_view(text).substr(0, found)) + 1);
  });
}

std::optional<Value> replace(Arguments arguments) {
  const std::string *text = text_of(arguments[0]), *old_part = text_of(arguments[1]), *part = text_of(arguments[2]);
  if (text == nullptr || old_part == nullptr || part == nullptr) return Value(nullptr);
  if (old_part->empty()) return *arguments[0];
  std::string replaced;
  for (std::size_t from = 0;;) {
    const std::size_t found = find_part(*text, *old_part, from);
    replaced.append(*text, from, found == std::string::npos ? found : found - from);
    if (found == std::string::npos) return Value(std::move(replaced));
    replaced += *part;
    if (replaced.size() > kMaxTextBytes) return Value(nullptr);
    from = found + old_part->size();
  }
}

std::optional<Value> split(Arguments arguments) {
  const std::string *text = text_of(arguments[0]), *separator = text_of(arguments[1]);
  if (text == nullptr || separator == nullptr || separator->empty()) return Value(nullptr);
  Array parts;
  for (std::size_t from = 0;;) {
    const std::size_t found = find_part(*text, *separator, from);
    parts.emplace_back(text->substr(from, found == std::string::npos ? found : found - from));
    if (found == std::string::npos) return Value(std::move(parts));
    if (parts.size() == kMaxElements) return Value(nullptr);
    from = found + separator->size();
  }
}

std::optional<Value> concatenate(Arguments arguments) {
  std::string joined;
  for (const Value* argument : arguments) {
    const auto text = as_text(*argument);
    if (!text || joined.size() + text->size() > kMaxTextBytes) return Value(nullptr);
    joined += *text;
  }
  return Value(std::move(joined));
}

std::optional<Value> text(Arguments arguments) {
  auto written = as_text(*arguments[0]);
  return written ? Value(std::move(*written)) : Value(nullptr);
}

constexpr Function kTextFunctions[] = {
    {"||", 2, 2, concatenate, Nulls::GiveNull, Notation::Infix},
    {"concat", 1, kAnyNumber, concatenate},
    {"lower", 1, 1, change_case<'A', 'Z', 'a'>},
    {"upper", 1, 1, change_case<'a', 'z', 'A'>},
    {"trim", 1, 1, trim<Side::Both>},
    {"ltrim", 1, 1, trim<Side::Left>},
    {"rtrim", 1, 1, trim<Side::Right>},
    {"length", 1, 1, length},
    {"char_length", 1, 1, length},
    {"byte_length", 1, 1, byte_length},
    {"substr", 2, 3, substring},
    {"starts_with", 2, 2, starts_with},
    {"ends_with", 2, 2, ends_with},
    {"position", 2, 2, position},
    {"replace", 3, 3, replace},
    {"split", 2, 2, split},
    {"text", 1, 1, text},
};

}  // namespace

std::span<const Function> text_functions() {
  return kTextFunctions;
}

std::optional<std::string> as_text(const Value& value) {
  if (const auto* text = value.if_a<std::string>()) return *text;
  if (const auto* boolean = value.if_a<bool>()) return *boolean ? "true" : "false";
  if (const auto* integer = value.if_a<std::int64_t>()) return std::to_string(*integer);
  if (const auto* timestamp = value.if_a<Timestamp>()) return timestamp->to_text();
  if (const auto* real = value.if_a<double>()) {
    if (!std::isfinite(*real)) return std::nullopt;
    char digits[40];
    const auto end = std::to_chars(std::begin(digits), std::end(digits), *real).ptr;
    std::string written(std::begin(digits), end);
    if (written.find_first_of(".e") == std::string::npos) written += ".0";  // as JSON has it, and the literal
    return written;
  }
  return std::nullopt;
}

}  // namespace fermata::query
