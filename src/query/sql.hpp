// Compiles statements to SQLite's SQL. Everything that came from a user is a bound parameter, never text; the paths of
// fields stand in the text as hexadecimal, because SQLite compares expressions with those of an index by their text.
#pragma once

#include <functional>
#include <span>

#include "query/ast.hpp"
#include "query/catalog.hpp"

namespace fermata::query {

// A value, or an expression that is computed here for each row.
using Binding = std::variant<Value, const Operand*, const Expression*>;

// Whether rows come with the documents' bodies.
enum class Columns : std::uint8_t { IdsAlone, Bodies };

// A SELECT that gives id and body (null for Columns::IdsAlone) of each source, in order.
struct CompiledSelect {
  std::string sql;
  std::vector<Binding> bindings;  // of ?1, ?2, …; they point into the statement
  std::size_t sources = 1;
};

// LIMIT and OFFSET are left to the caller where rows are more than they count: with DISTINCT and with groups. Errors:
// InvalidArgument (a join without an index, a full-text search without one), Io, Corrupt.
[[nodiscard]] Result<CompiledSelect> compile(const SelectStatement& statement, Columns columns, Catalog& catalog);

// A document of a row. Views for the length of the call; a LEFT JOIN that found nothing has a null id.
struct RowDocument {
  std::string_view id;
  ByteView body;
  bool is_there = true;
};
using OnRow = std::function<Status(std::span<const RowDocument> row)>;

// Errors: those of `on_row`; Corrupt, Busy, Io; Syntax for a full-text search that SQLite does not understand.
[[nodiscard]] Status run(store::Connection& connection, const CompiledSelect& select, const OnRow& on_row);

// A stored body as a map of fields, without "_id". Error: Corrupt.
[[nodiscard]] Result<Map> decode_body(std::string_view id, ByteView body);

}  // namespace fermata::query
