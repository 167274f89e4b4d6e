// Whether one document satisfies a condition. Pure.
#pragma once

#include "query/ast.hpp"
#include "query/scalar.hpp"

namespace fermata::query {

// A document under test: its id, and its fields without "_id". A view; both must outlive it.
struct DocumentView {
  std::string_view id;
  const Map& fields;
};

// The value at a path below `fields`, or nullptr. "_id" is not among them.
[[nodiscard]] const Value* value_at(const Map& fields, const crdt::Path& path);

// The value of an operand in this document; nothing if it is missing.
[[nodiscard]] std::optional<Value> evaluate(const Operand& operand, const DocumentView& document);

[[nodiscard]] Truth evaluate(const Expression& expression, const DocumentView& document);

// Unknown is not a match.
[[nodiscard]] bool matches(const Where& where, const DocumentView& document);

}  // namespace fermata::query
