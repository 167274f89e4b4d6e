#include <fermata/value.hpp>

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "base/cbor.hpp"
#include "base/json_marks.hpp"
#include "base/json_tree.hpp"
#include "base/utf8.hpp"

namespace fermata {
namespace {

namespace ondemand = simdjson::ondemand;

// simdjson's own code, or ours for what it does not check.
struct Fault {
  simdjson::error_code code = simdjson::SUCCESS;
  const char* ours = nullptr;
};
template <class T>
using Read = tl::expected<T, Fault>;

tl::unexpected<Fault> fault(simdjson::error_code code) {
  return tl::unexpected<Fault>(Fault{code, nullptr});
}
tl::unexpected<Fault> fault(const char* ours) {
  return tl::unexpected<Fault>(Fault{simdjson::SUCCESS, ours});
}

// Below the levels that do not count, which are negative.
using Depth = std::int64_t;
// {"$map": …} and its like are levels of the text and none of the value: each level of that may have one, and the
// innermost be an attachment with its metadata.
constexpr Depth kMaxTextDepth = 2 * Depth{kMaxDepth} + 4;

Read<Value> read_value(ondemand::value source, Depth depth);

Read<Value> read_array(ondemand::array source, Depth depth) {
  Array array;
  for (auto item : source) {
    ondemand::value element;
    if (const auto error = item.get(element)) return fault(error);
    auto value = read_value(element, depth + 1);
    if (!value) return value;
    array.push_back(std::move(*value));
  }
  return Value(std::move(array));
}

Read<Value> read_object(ondemand::object source, Depth depth) {
  Map map;
  for (auto item : source) {
    ondemand::field field;
    if (const auto error = std::move(item).get(field)) return fault(error);
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return fault(error);
    std::string name(key);
    auto value = read_value(field.value(), depth + 1);
    if (!value) return value;
    if (!map.emplace(std::move(name), std::move(*value)).second) return fault("one key twice in an object");
  }
  return Value(std::move(map));
}

template <class Source>
Read<Value> read_number(Source& source) {
  std::int64_t integer = 0;
  ondemand::number_type type{};
  if (source.get_number_type().get(type) == simdjson::SUCCESS && type == ondemand::number_type::signed_integer &&
      source.get_int64().get(integer) == simdjson::SUCCESS) {
    return Value(integer);
  }
  double real = 0;
  if (const auto error = source.get_double().get(real)) return fault(error);
  return Value(real);
}

template <class Source>
Read<Value> read_scalar(Source& source, ondemand::json_type type) {
  if (type == ondemand::json_type::number) return read_number(source);
  if (type == ondemand::json_type::string) {
    std::string_view text;
    if (const auto error = source.get_string().get(text)) return fault(error);
    return Value(text);
  }
  if (type == ondemand::json_type::boolean) {
    bool boolean = false;
    if (const auto error = source.get_bool().get(boolean)) return fault(error);
    return Value(boolean);
  }
  bool null = false;
  if (const auto error = source.is_null().get(null)) return fault(error);
  return null ? Read<Value>(Value()) : fault("a value that is none");
}

template <class Source>
Read<Value> read_any(Source& source, Depth depth) {
  if (depth > kMaxTextDepth) return fault("nested deeper than 64 levels");
  ondemand::json_type type{};
  if (const auto error = source.type().get(type)) return fault(error);
  if (type == ondemand::json_type::array) {
    ondemand::array array;
    if (const auto error = source.get_array().get(array)) return fault(error);
    return read_array(array, depth);
  }
  if (type == ondemand::json_type::object) {
    ondemand::object object;
    if (const auto error = source.get_object().get(object)) return fault(error);
    return read_object(object, depth);
  }
  return read_scalar(source, type);
}

Read<Value> read_value(ondemand::value source, Depth depth) {
  return read_any(source, depth);
}

// simdjson finds broken UTF-8 and open strings before it looks at any place, so those we locate ourselves.
std::size_t line_without_location(std::string_view text) {
  std::size_t line = 1;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (!is_utf8(text.substr(0, end)) || end == std::string_view::npos) return line;
    text.remove_prefix(end + 1);
    if (!text.empty()) ++line;
  }
  return line;
}

std::size_t line_of(std::string_view text, ondemand::document& document) {
  const char* at = nullptr;
  if (document.current_location().get(at) != simdjson::SUCCESS || at < text.data() || at > text.data() + text.size()) {
    return line_without_location(text);
  }
  return 1 + static_cast<std::size_t>(std::count(text.data(), at, '\n'));
}

tl::unexpected<Error> report(const Fault& fault, std::size_t line) {
  const bool too_deep = fault.code == simdjson::DEPTH_ERROR ||
                        (fault.ours != nullptr && std::string_view(fault.ours).starts_with("nested"));
  const char* what = fault.ours != nullptr ? fault.ours : simdjson::error_message(fault.code);
  return fail(too_deep ? ErrorCode::LimitExceeded : ErrorCode::Malformed, fmt::format("JSON, line {}: {}", line, what));
}

}  // namespace

Result<Value> from_json(std::string_view text, unsigned wrapping) {
  return read_json(text, wrapping, nullptr);
}

Result<Value> read_json(std::string_view text, unsigned wrapping, std::vector<FieldPath>* counters) {
  const simdjson::padded_string padded(text);
  const std::string_view view(padded.data(), padded.size());
  ondemand::parser parser;
  ondemand::document document;
  if (const auto error = parser.iterate(padded).get(document))
    return report({error, nullptr}, line_without_location(view));
  auto value = read_any(document, -Depth{wrapping});
  if (!value) {
    // What is missing is missing at the end, wherever simdjson stood when it noticed.
    const bool truncated = value.error().code == simdjson::INCOMPLETE_ARRAY_OR_OBJECT;
    return report(value.error(), truncated ? line_without_location(view) : line_of(view, document));
  }
  const char* rest = nullptr;  // only a document read to its end has no current location
  if (document.current_location().get(rest) != simdjson::OUT_OF_BOUNDS)
    return report({simdjson::SUCCESS, "text after the end of the value"}, line_of(view, document));
  if (counters != nullptr) {
    if (auto taken = take_counters(*value, *counters); !taken) return fail(taken.error());
  }
  if (auto resolved = resolve_marks(*value, kMaxDepth + wrapping); !resolved) return fail(resolved.error());
  return std::move(*value);
}

}  // namespace fermata
