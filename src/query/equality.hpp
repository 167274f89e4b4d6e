// The part of a condition by which subscriptions and live queries are found: `path = constant`. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crdt/document.hpp"

namespace fermata::query {

struct Expression;  // the syntax tree, in query/ast.hpp

// What every document that satisfies a condition has at a path. Two values have the same key exactly if they are equal
// as the language compares them (1 and 1.0 are).
struct Equality {
  crdt::Path path;
  std::string key;
};

// A `path = constant` that stands alone or in an AND at the top. Nothing if there is none, or no condition.
[[nodiscard]] std::optional<Equality> equality_of(const Expression* where);

// The key of what a document has at the path; nothing if that is missing or null, which equals nothing. `view` without
// "_id".
[[nodiscard]] std::optional<std::string> equality_key(const crdt::Path& path, std::string_view id, const Map& view);

}  // namespace fermata::query
