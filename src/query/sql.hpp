// Compiles statements to SQLite's SQL. Everything that came from a user is a bound parameter, never text.
#pragma once

#include <functional>

#include "query/ast.hpp"

struct sqlite3;

namespace fermata::query {

// A SELECT that gives (id, body) of each live document, in order.
struct CompiledSelect {
  std::string sql;
  std::vector<Value> bindings;  // of ?1, ?2, …
};

[[nodiscard]] CompiledSelect compile(const SelectStatement& statement);

// One document that was selected. The body is a view for the length of the call.
using OnRow = std::function<Status(std::string_view id, ByteView body)>;

// Runs it on a connection that has register_functions(). Errors: those of `on_row`; Corrupt, Busy, Io.
[[nodiscard]] Status run(sqlite3* connection, const CompiledSelect& select, const OnRow& on_row);

// A stored body as a map of fields, without "_id". Error: Corrupt.
[[nodiscard]] Result<Map> decode_body(std::string_view id, ByteView body);

}  // namespace fermata::query
