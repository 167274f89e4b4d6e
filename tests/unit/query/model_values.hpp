// Conditions, comparing and paths, for the model: written for itself, so that it shares no mistake with the database.
#pragma once

#include <fermata/value.hpp>
#include <functional>
#include <optional>
#include <tuple>

#include "query/ast.hpp"

namespace fermata::query::model {

using Truth = std::optional<bool>;  // nothing: unknown

// A condition as text and as what it means.
struct Condition {
  std::string text;
  std::function<Truth(const Map&)> holds;
};

// null < numbers < text, then within the kind; booleans are numbers.
using Key = std::tuple<int, double, std::string>;
inline Key key_of(const Value& value) {
  if (const auto* text = value.if_a<std::string>()) return {2, 0, *text};
  if (const auto* boolean = value.if_a<bool>()) return {1, *boolean ? 1 : 0, ""};
  if (const auto* integer = value.if_a<std::int64_t>()) return {1, static_cast<double>(*integer), ""};
  if (const auto* real = value.if_a<double>()) return {1, *real, ""};
  return {0, 0, ""};
}

inline bool is_nothing(const Value* value) {
  return value == nullptr || value->is_null();
}

// What is missing comes last, whichever the direction. Negative: left comes first.
inline int order_of(const Value* left, const Value* right, Direction direction) {
  if (left == nullptr || right == nullptr) return (left == nullptr) - (right == nullptr);
  const Key a = key_of(*left), b = key_of(*right);
  const int order = a < b ? -1 : a == b ? 0 : 1;
  return direction == Direction::Descending ? -order : order;
}

inline void put(Map& fields, std::string_view path, const Value& value) {
  const auto dot = path.find('.');
  Value& here = fields[std::string(path.substr(0, dot))];
  if (dot == std::string_view::npos) {
    here = value;
    return;
  }
  if (here.if_a<Map>() == nullptr) here = Map{};
  put(*here.if_a<Map>(), path.substr(dot + 1), value);
}
inline void take_away(Map& fields, std::string_view path) {
  const auto dot = path.find('.');
  const auto here = fields.find(path.substr(0, dot));
  if (here == fields.end()) return;
  if (dot == std::string_view::npos) {
    fields.erase(here);
  } else if (Map* below = here->second.if_a<Map>()) {
    take_away(*below, path.substr(dot + 1));
  }
}

}  // namespace fermata::query::model
