// Statements as trees, with their parameters already in place. Plain data, immutable once parsed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "store/app_indexes.hpp"

namespace fermata::query {

// Nested deeper, a statement is refused; so no walk over a tree can exhaust the stack.
inline constexpr std::size_t kMaxNesting = kMaxDepth;
// More values than this in one statement are refused: each becomes a bound parameter of SQLite.
inline constexpr std::size_t kMaxOperands = 10'000;
// A LIKE pattern may be this long.
inline constexpr std::size_t kMaxPatternBytes = 1024;
// More collections than this are not joined: the work grows with the product.
inline constexpr std::size_t kMaxJoins = 7;
// ANY and EVERY inside one another: the work grows with the product of the arrays' lengths.
inline constexpr std::size_t kMaxQuantifiers = 4;
inline constexpr std::string_view kIdField = "_id";

struct Expression;
using ExpressionRef = std::shared_ptr<const Expression>;

// A field of a joined document: of the second collection of the statement (1), the third (2), and so on.
struct JoinedPath {
  std::size_t source = 1;
  crdt::Path path;
};
// The element that an ANY or EVERY is looking at; 0 is the outermost.
struct Variable {
  std::size_t depth = 0;
};
// What has been computed of a group: its keys, then its aggregates.
struct Slot {
  std::size_t number = 0;
};

// A literal, the field at a path of the document ({"_id"} is its id), or what is computed.
using Operand = std::variant<Value, crdt::Path, JoinedPath, Variable, Slot, ExpressionRef>;

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
  Any,        // one operand, an array; one child about its elements (Variable)
  Every,      // the same
  Match,      // a full-text search: `name`, and one operand, the text to look for
  Call,       // a function of the operands; the only kind that is no condition
};

struct Function;  // in query/functions.hpp

struct Expression {
  ExpressionKind kind = ExpressionKind::Truth;
  Comparison comparison = Comparison::Equal;
  std::vector<Expression> children;
  std::vector<Operand> operands;
  const Function* function = nullptr;  // of a Call
  std::string name;                    // of an Any or Every, its variable; of a Match, the field or the index
};
using Where = ExpressionRef;  // null: every document
// Whether it is, or joins, a full-text search: that is for the index to answer.
[[nodiscard]] bool searches_text(const Expression& node);

using store::Direction;
struct OrderTerm {
  Operand value;
  Direction direction = Direction::Ascending;
};

enum class ProjectionKind : std::uint8_t { Everything, Value };
struct Projection {
  ProjectionKind kind = ProjectionKind::Value;
  Operand value;
  std::string name;  // what it is called in the result
};

enum class AggregateKind : std::uint8_t { CountRows, Count, Sum, Average, Least, Greatest, Collect };
enum class Repetition : std::uint8_t { All, Distinct };
struct Aggregate {
  AggregateKind kind = AggregateKind::CountRows;
  Repetition repetition = Repetition::All;
  Operand value;  // of all but CountRows
};

enum class JoinKind : std::uint8_t { Inner, Left };
struct Join {
  JoinKind kind = JoinKind::Inner;
  std::string collection;
  std::string alias;
  Where on;
};

struct SelectStatement {
  std::string collection;
  Where where = {};
  std::vector<OrderTerm> order = {};
  std::optional<std::int64_t> limit = {};
  std::optional<std::int64_t> offset = {};
  std::vector<Projection> projections = {};  // empty: whole documents
  Repetition repetition = Repetition::All;
  std::string alias = {};  // of the first collection, if it has one
  std::vector<Join> joins = {};
  std::vector<Operand> groups = {};
  std::vector<Aggregate> aggregates = {};
  Where having = {};
};

// One row for each group of documents, and not for each document.
[[nodiscard]] inline bool is_grouped(const SelectStatement& select) {
  return !select.groups.empty() || !select.aggregates.empty();
}
// Whole documents of one collection, in whatever order, by a condition that each alone satisfies or does not.
[[nodiscard]] bool is_plain(const SelectStatement& select);

enum class OnConflict : std::uint8_t { Fail, DoNothing, DoUpdate, DoUpdateLocalDiff };
struct InsertStatement {
  std::string collection;
  std::vector<Map> documents;
  OnConflict on_conflict = OnConflict::Fail;
  std::vector<Projection> returning = {};
};

enum class AssignmentKind : std::uint8_t { Set, Unset, Increment };
struct Assignment {
  AssignmentKind kind = AssignmentKind::Set;
  crdt::Path path;
  Operand value;  // of an Unset, nothing that counts
};
struct UpdateStatement {
  std::string collection;
  std::vector<Assignment> assignments;  // no path is a prefix of another
  Where where;
  std::vector<Projection> returning = {};
};

// DELETE for everybody, or EVICT from this device alone.
enum class RemovalKind : std::uint8_t { Delete, Evict };
struct DeleteStatement {
  RemovalKind kind = RemovalKind::Delete;
  std::string collection;
  Where where;
  std::vector<Projection> returning = {};
};

using store::IndexedField;
using store::IndexKind;
// Whether it may be there already (CREATE), or not be there (DROP).
enum class IfThere : std::uint8_t { Refuse, Accept };
struct CreateIndexStatement {
  IndexKind kind = IndexKind::Ordered;
  IfThere if_there = IfThere::Refuse;
  std::string name;
  std::string collection;
  std::vector<IndexedField> fields;
};
struct DropIndexStatement {
  IfThere if_there = IfThere::Refuse;
  std::string name;
};
struct ShowIndexesStatement {};
struct ExplainStatement {
  SelectStatement select;
};

using Statement = std::variant<SelectStatement, InsertStatement, UpdateStatement, DeleteStatement, CreateIndexStatement,
                               DropIndexStatement, ShowIndexesStatement, ExplainStatement>;

[[nodiscard]] inline bool is_id(const crdt::Path& path) {
  return path.size() == 1 && path.front() == kIdField;
}

}  // namespace fermata::query
