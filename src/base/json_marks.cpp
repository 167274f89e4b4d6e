#include "base/json_marks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/base64.hpp"
#include "base/cbor.hpp"

namespace fermata {
namespace {

tl::unexpected<Error> malformed(std::string_view mark, std::string_view expected, const Value& found) {
  constexpr std::size_t kShown = 60;
  return fail(ErrorCode::Malformed,
              fmt::format("JSON: \"{}\" must be {}, not {}", mark, expected, to_json(found).substr(0, kShown)));
}

Result<Value> read_bytes(const Value& value) {
  if (const auto* text = value.if_a<std::string>()) {
    if (auto bytes = from_base64(*text)) return Value(std::move(*bytes));
  }
  return malformed("$bytes", "base64 text", value);
}

Result<Value> read_timestamp(const Value& value) {
  if (const auto* text = value.if_a<std::string>()) {
    if (const auto timestamp = Timestamp::parse(*text)) return Value(*timestamp);
  }
  return malformed("$timestamp", "a date and time of RFC 3339 in the years 0001 to 9999", value);
}

Result<Value> read_double(const Value& value) {
  using Limits = std::numeric_limits<double>;
  if (value == Value("NaN")) return Value(Limits::quiet_NaN());
  if (value == Value("Infinity")) return Value(Limits::infinity());
  if (value == Value("-Infinity")) return Value(-Limits::infinity());
  return malformed("$double", R"("NaN", "Infinity" or "-Infinity")", value);
}

template <class T>
const T* field_of(const Map& map, std::string_view name) {
  const auto found = map.find(name);
  return found == map.end() ? nullptr : found->second.if_a<T>();
}

Result<Value> read_attachment(const Value& value) {
  const auto wrong = [&] {
    return malformed("$attachment", R"({"hash": 64 hex digits, "size": n, "metadata": {texts}})", value);
  };
  const auto* fields = value.if_a<Map>();
  if (fields == nullptr || fields->size() != 3) return wrong();
  const auto* hex = field_of<std::string>(*fields, "hash");
  const auto* size = field_of<std::int64_t>(*fields, "size");
  const auto* entries = field_of<Map>(*fields, "metadata");
  if (hex == nullptr || size == nullptr || *size < 0 || entries == nullptr) return wrong();
  const auto hash = from_hex(*hex);
  ContentHash content{};
  if (!hash || hash->size() != content.size()) return wrong();
  std::ranges::copy(*hash, content.begin());
  AttachmentMetadata metadata;
  for (const auto& [key, entry] : *entries) {
    const auto* text = entry.if_a<std::string>();
    if (text == nullptr) return wrong();
    metadata.emplace(key, *text);
  }
  return Attachment::make(content, static_cast<std::uint64_t>(*size), std::move(metadata)).map([](Attachment made) {
    return Value(std::move(made));
  });
}

struct Mark {
  std::string_view key;
  Result<Value> (*read)(const Value&);
};
constexpr Mark kMarks[] = {
    {"$bytes", read_bytes}, {"$timestamp", read_timestamp}, {"$double", read_double}, {"$attachment", read_attachment}};

// What is in the map or array, but not it itself.
Status resolve_content(Value& value, std::size_t levels) {
  if (auto* array = value.if_a<Array>()) {
    for (Value& item : *array) {
      if (auto resolved = resolve_marks(item, levels); !resolved) return resolved;
    }
  } else if (auto* map = value.if_a<Map>()) {
    for (auto& [key, item] : *map) {
      if (auto resolved = resolve_marks(item, levels); !resolved) return resolved;
    }
  }
  return {};
}

Status resolve_map(Value& value, std::size_t levels) {
  // Taken out first: it is part of what is assigned to.
  Value inner = std::move(value.if_a<Map>()->begin()->second);
  if (inner.if_a<Map>() == nullptr) return malformed("$map", "a map", inner);
  value = std::move(inner);
  return resolve_content(value, levels);
}

}  // namespace

bool stands_for_value(std::string_view key) {
  return std::ranges::find(kMarks, key, &Mark::key) != std::end(kMarks);
}

Status resolve_marks(Value& value, std::size_t levels) {
  auto* map = value.if_a<Map>();
  if (map == nullptr && value.if_a<Array>() == nullptr) return {};
  const std::string_view key = map != nullptr && map->size() == 1 ? std::string_view(map->begin()->first) : "";
  if (const auto* mark = std::ranges::find(kMarks, key, &Mark::key); mark != std::end(kMarks)) {
    Value inner = std::move(map->begin()->second);
    if (auto resolved = resolve_content(inner, kMaxDepth); !resolved) return resolved;  // metadata may need it
    auto meant = mark->read(inner);
    if (!meant) return fail(meant.error());
    value = std::move(*meant);
    return {};
  }
  if (levels == 0 && !(map != nullptr ? map->empty() : value.if_a<Array>()->empty()))
    return fail(ErrorCode::LimitExceeded, "JSON: nested deeper than 64 levels");
  const std::size_t below = levels == 0 ? 0 : levels - 1;
  return key == "$map" ? resolve_map(value, below) : resolve_content(value, below);
}

}  // namespace fermata
