// The functions that compiled statements call, beside those of store/field_functions.hpp.
//   fermata_truth(value), fermata_like(value, pattern)  as truth_of() and like()
//   fermata_value(operand, id, body, …)                 what an operand is in the documents of a row
//   fermata_value_kind(operand, id, body, …)            as fermata_kind()
//   fermata_condition(expression, id, body, …)          as evaluate()
// Operands and expressions are bound as pointers to trees that outlive the statement's run.
#pragma once

#include "query/ast.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace fermata::query {

void register_functions(sqlite3* connection);

// SQLite's result codes.
[[nodiscard]] int bind_operand(sqlite3_stmt* statement, int index, const Operand* operand);
[[nodiscard]] int bind_expression(sqlite3_stmt* statement, int index, const Expression* expression);

}  // namespace fermata::query
