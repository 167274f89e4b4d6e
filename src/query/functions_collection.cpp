#include <algorithm>
#include <set>

#include "query/functions.hpp"
#include "query/scalar.hpp"
#include "query/text_search.hpp"

namespace fermata::query {
namespace {

const char* kind_name(const Value& value) {
  // In the order of Value::Variant.
  constexpr const char* kNames[] = {"null",  "boolean", "integer", "double",    "text",
                                    "bytes", "array",   "map",     "timestamp", "attachment"};
  return kNames[value.variant().index()];
}

// Whether they are equal as the language compares; null equals nothing.
bool are_equal(const Value& left, const Value& right) {
  const auto order = compare(to_scalar(left), to_scalar(right));
  return order && *order == 0;
}

// From 0; negative ones count from the end, of which -1 is the last.
std::optional<Value> element(Arguments arguments) {
  const auto* array = arguments[0] == nullptr ? nullptr : arguments[0]->if_a<Array>();
  const auto* number = arguments[1] == nullptr ? nullptr : arguments[1]->if_a<std::int64_t>();
  if (array == nullptr || number == nullptr) return std::nullopt;
  const auto size = static_cast<std::int64_t>(array->size());
  const std::int64_t place = *number < 0 ? *number + size : *number;
  if (place < 0 || place >= size) return std::nullopt;
  return (*array)[static_cast<std::size_t>(place)];
}

std::optional<Value> member(Arguments arguments) {
  const auto* map = arguments[0] == nullptr ? nullptr : arguments[0]->if_a<Map>();
  const auto* name = arguments[1] == nullptr ? nullptr : arguments[1]->if_a<std::string>();
  if (map == nullptr || name == nullptr) return std::nullopt;
  const auto found = map->find(*name);
  return found == map->end() ? std::nullopt : std::optional<Value>(found->second);
}

// As IN of a list: nothing is among nothing, not even null. Else null may be anything, whichever side it is on.
std::optional<Value> array_contains(Arguments arguments) {
  const auto* array = arguments[0] == nullptr ? nullptr : arguments[0]->if_a<Array>();
  if (array == nullptr) return Value(nullptr);
  const Scalar wanted = arguments[1] == nullptr ? Scalar(Null{}) : to_scalar(*arguments[1]);
  bool is_known = true;
  for (const Value& element : *array) {
    const auto order = compare(to_scalar(element), wanted);
    if (order && *order == 0) return Value(true);
    is_known = is_known && order;
  }
  return is_known ? Value(false) : Value(nullptr);
}

// Of an array one of its values, of a text a part of it, of a map one of its names.
std::optional<Value> contains(Arguments arguments) {
  const Value *whole = arguments[0], *part = arguments[1];
  if (whole == nullptr || whole->if_a<Array>() != nullptr) return array_contains(arguments);
  if (part == nullptr || counts_as_null(*part)) return Value(nullptr);
  const auto* name = part->if_a<std::string>();
  if (const auto* text = whole->if_a<std::string>()) {
    return Value(name != nullptr && find_part(*text, *name) != std::string_view::npos);
  }
  const auto* map = whole->if_a<Map>();
  return map == nullptr ? Value(nullptr) : Value(name != nullptr && map->contains(*name));
}

std::optional<Value> array_length(Arguments arguments) {
  const auto* array = arguments[0]->if_a<Array>();
  return array == nullptr ? Value(nullptr) : whole_size(array->size());
}

std::optional<Value> array_contains_null(Arguments arguments) {
  const auto* array = arguments[0]->if_a<Array>();
  if (array == nullptr) return Value(nullptr);
  return Value(std::any_of(array->begin(), array->end(), counts_as_null));
}

std::optional<Value> array_append(Arguments arguments) {
  const auto* array = arguments[0] == nullptr ? nullptr : arguments[0]->if_a<Array>();
  if (array == nullptr || array->size() + arguments.size() > kMaxElements) return Value(nullptr);
  Array longer = *array;
  for (const Value* each : arguments.subspan(1)) longer.push_back(each == nullptr ? Value(nullptr) : *each);
  return Value(std::move(longer));
}

std::optional<Value> array_concat(Arguments arguments) {
  Array joined;
  for (const Value* argument : arguments) {
    const auto* array = argument->if_a<Array>();
    if (array == nullptr) return Value(nullptr);
    joined.insert(joined.end(), array->begin(), array->end());
    if (joined.size() > kMaxElements) return Value(nullptr);
  }
  return Value(std::move(joined));
}

std::optional<Value> array_distinct(Arguments arguments) {
  const auto* array = arguments[0]->if_a<Array>();
  if (array == nullptr) return Value(nullptr);
  Array kept;
  std::set<Bytes> seen;
  for (const Value& each : *array) {
    if (seen.insert(distinct_key(each)).second) kept.push_back(each);
  }
  return Value(std::move(kept));
}

// All but those that equal the value.
std::optional<Value> array_remove(Arguments arguments) {
  const auto* array = arguments[0]->if_a<Array>();
  if (array == nullptr) return Value(nullptr);
  Array kept;
  std::copy_if(array->begin(), array->end(), std::back_inserter(kept),
               [&](const Value& each) { return !are_equal(each, *arguments[1]); });
  return Value(std::move(kept));
}

// array_slice(array, from[, count]); from 0, or from the end if negative.
std::optional<Value> array_slice(Arguments arguments) {
  const auto* array = arguments[0]->if_a<Array>();
  const auto* from = arguments[1]->if_a<std::int64_t>();
  const auto* count = arguments.size() > 2 ? arguments[2]->if_a<std::int64_t>() : nullptr;
  if (array == nullptr || from == nullptr || (arguments.size() > 2 && count == nullptr)) return Value(nullptr);
  const auto size = static_cast<std::int64_t>(array->size());
  const std::int64_t clamped = std::clamp<std::int64_t>(*from, -size, size);
  const std::int64_t begin = clamped < 0 ? clamped + size : clamped;
  const std::int64_t wanted = count == nullptr ? size : std::clamp<std::int64_t>(*count, 0, size);
  return Value(Array(array->begin() + begin, array->begin() + std::min(begin + wanted, size)));
}

std::optional<Value> array_join(Arguments arguments) {
  const auto* array = arguments[0]->if_a<Array>();
  const auto* separator = arguments[1]->if_a<std::string>();
  if (array == nullptr || separator == nullptr) return Value(nullptr);
  std::string joined;
  for (std::size_t i = 0; i < array->size(); ++i) {
    const auto part = as_text((*array)[i]);
    if (!part || joined.size() + separator->size() + part->size() > kMaxTextBytes) return Value(nullptr);
    joined += i > 0 ? *separator + *part : *part;
  }
  return Value(std::move(joined));
}

std::optional<Value> object_keys(Arguments arguments) {
  const auto* map = arguments[0]->if_a<Map>();
  if (map == nullptr) return Value(nullptr);
  Array keys;
  for (const auto& [key, value] : *map) keys.emplace_back(key);
  return Value(std::move(keys));
}

std::optional<Value> object_values(Arguments arguments) {
  const auto* map = arguments[0]->if_a<Map>();
  if (map == nullptr) return Value(nullptr);
  Array values;
  for (const auto& [key, value] : *map) values.push_back(value);
  return Value(std::move(values));
}

std::optional<Value> object_length(Arguments arguments) {
  const auto* map = arguments[0]->if_a<Map>();
  return map == nullptr ? Value(nullptr) : whole_size(map->size());
}

std::optional<Value> coalesce(Arguments arguments) {
  for (const Value* argument : arguments) {
    if (argument != nullptr && !counts_as_null(*argument)) return *argument;
  }
  return Value(nullptr);
}

// if(condition, then, else): what is not true is false.
std::optional<Value> choose(Arguments arguments) {
  const bool holds_true = arguments[0] != nullptr && truth_of(to_scalar(*arguments[0])) == Truth::True;
  const Value* chosen = holds_true ? arguments[1] : arguments.size() > 2 ? arguments[2] : nullptr;
  return chosen == nullptr ? std::nullopt : std::optional<Value>(*chosen);
}

std::optional<Value> null_if(Arguments arguments) {
  if (arguments[0] == nullptr) return std::nullopt;
  if (arguments[1] != nullptr && are_equal(*arguments[0], *arguments[1])) return Value(nullptr);
  return *arguments[0];
}

std::optional<Value> type(Arguments arguments) {
  return Value(arguments[0] == nullptr ? "missing" : kind_name(*arguments[0]));
}

constexpr Function kCollectionFunctions[] = {
    {"[]", 2, 2, element, Nulls::Handled, Notation::Element},
    {".", 2, 2, member, Nulls::Handled, Notation::Member},
    {"contains", 2, 2, contains, Nulls::Handled},
    {"array_contains", 2, 2, array_contains, Nulls::Handled},
    {"array_length", 1, 1, array_length},
    {"array_contains_null", 1, 1, array_contains_null},
    {"array_append", 2, kAnyNumber, array_append, Nulls::Handled},
    {"array_concat", 1, kAnyNumber, array_concat},
    {"array_distinct", 1, 1, array_distinct},
    {"array_remove", 2, 2, array_remove},
    {"array_slice", 2, 3, array_slice},
    {"array_join", 2, 2, array_join},
    {"object_keys", 1, 1, object_keys},
    {"object_values", 1, 1, object_values},
    {"object_length", 1, 1, object_length},
    {"coalesce", 1, kAnyNumber, coalesce, Nulls::Handled},
    {"ifnull", 2, 2, coalesce, Nulls::Handled},
    {"if", 2, 3, choose, Nulls::Handled},
    {"nullif", 2, 2, null_if, Nulls::Handled},
    {"type", 1, 1, type, Nulls::Handled},
};

}  // namespace

std::span<const Function> collection_functions() {
  return kCollectionFunctions;
}

}  // namespace fermata::query
