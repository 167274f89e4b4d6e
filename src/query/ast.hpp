// Statements as trees, with their parameters already in place. Plain data, immutable once parsed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "crdt/document.hpp"

namespace fermata::query {

// Nested deeper, a statement is refused; so no walk over a tree can exhaust the stack.
inline constexpr std::size_t kMaxNesting = kMaxDepth;
// More values than this in one statement are refused: each becomes a bound parameter of SQLite.
inline constexpr std::size_t kMaxOperands = 10'000;
// A LIKE pattern may be this long.
inline constexpr std::size_t kMaxPatternBytes = 1024;
inline constexpr std::string_view kIdField = "_id";

// A literal, or the field at a path ({"_id"} is the document's id).
using Operand = std::variant<Value, crdt::Path>;

enum class Comparison : std::uint8_t { Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual };
// As our language and SQL both write it, with a space on either side.
[[nodiscard]] std::string_view sign_of(Comparison comparison);

enum class ExpressionKind : std::uint8_t {
  And,        // two or more children, none of them an And
  Or,         // two or more children, none of them an Or
  Not,        // one child, not a Not
  Compare,    // operands: left, right
  In,         // operands: needle, then one or more of the list
  Like,       // operands: value, pattern (text or null)
  IsNull,     // one operand
  IsMissing,  // one operand
  Truth,      // one operand, by itself
};

struct Expression {
  ExpressionKind kind = ExpressionKind::Truth;
  Comparison comparison = Comparison::Equal;
  std::vector<Expression> children;
  std::vector<Operand> operands;
};
using Where = std::shared_ptr<const Expression>;  // null: every document

enum class Direction : std::uint8_t { Ascending, Descending };
struct OrderTerm {
  crdt::Path path;
  Direction direction = Direction::Ascending;
};

struct SelectStatement {
  std::string collection;
  Where where;
  std::vector<OrderTerm> order;
  std::optional<std::int64_t> limit;
};

enum class OnConflict : std::uint8_t { Fail, DoNothing, DoUpdate };
struct InsertStatement {
  std::string collection;
  std::vector<Map> documents;
  OnConflict on_conflict = OnConflict::Fail;
};

enum class AssignmentKind : std::uint8_t { Set, Increment };
struct Assignment {
  crdt::Path path;
  Operand value;
};
struct UpdateStatement {
  std::string collection;
  AssignmentKind kind = AssignmentKind::Set;
  std::vector<Assignment> assignments;  // no path is a prefix of another
  Where where;
};

struct DeleteStatement {
  std::string collection;
  Where where;
};

using Statement = std::variant<SelectStatement, InsertStatement, UpdateStatement, DeleteStatement>;

[[nodiscard]] inline bool is_id(const crdt::Path& path) {
  return path.size() == 1 && path.front() == kIdField;
}

}  // namespace fermata::query
