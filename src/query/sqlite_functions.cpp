#include "query/sqlite_functions.hpp"

#include <sqlite3.h>

#include "query/row_scope.hpp"
#include "store/field_functions.hpp"

namespace fermata::query {
namespace {

constexpr const char* kOperandType = "fermata operand";
constexpr const char* kExpressionType = "fermata expression";

void give_truth(sqlite3_context* context, Truth truth) {
  if (truth == Truth::Unknown) return sqlite3_result_null(context);
  sqlite3_result_int(context, truth == Truth::True ? 1 : 0);
}

// With the code that SQLite keeps for functions of others: run() knows it by that.
void give_limit(sqlite3_context* context, const Error& error) {
  sqlite3_result_error(context, error.message.c_str(), static_cast<int>(error.message.size()));
  sqlite3_result_error_code(context, SQLITE_CONSTRAINT_FUNCTION);
}

// Only what truth_of() and like() look into; a blob stands for itself by any blob.
Scalar scalar_of(sqlite3_value* value) {
  switch (sqlite3_value_type(value)) {
    case SQLITE_NULL:
      return Null{};
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_value_int64(value)};
    case SQLITE_FLOAT:
      return sqlite3_value_double(value);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
      return std::string_view(text, static_cast<std::size_t>(sqlite3_value_bytes(value)));
    }
    default:
      return Bytes{};
  }
}

void truth_function(sqlite3_context* context, int, sqlite3_value** arguments) {
  give_truth(context, truth_of(scalar_of(arguments[0])));
}

void like_function(sqlite3_context* context, int, sqlite3_value** arguments) {
  give_truth(context, like(scalar_of(arguments[0]), scalar_of(arguments[1])));
}

// From (id, body) pairs; one whose id is null is not there.
using RowDocuments = std::array<RowDocument, kMaxJoins + 1>;
std::span<const RowDocument> documents_of(int count, sqlite3_value** pairs, RowDocuments& row) {
  const std::size_t documents = std::min(static_cast<std::size_t>(count) / 2, row.size());
  for (std::size_t i = 0; i < documents; ++i) {
    sqlite3_value* const id = pairs[2 * i];
    sqlite3_value* const body = pairs[2 * i + 1];
    const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(id));
    row[i].is_there = text != nullptr;
    if (text == nullptr) continue;
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_value_blob(body));
    row[i].id = std::string_view(text, static_cast<std::size_t>(sqlite3_value_bytes(id)));
    row[i].body = ByteView(data, static_cast<std::size_t>(sqlite3_value_bytes(body)));
  }
  return std::span(row).first(documents);
}

template <class What, class Give>
void evaluate_row(sqlite3_context* context, int count, sqlite3_value** arguments, const char* type, Give give) {
  const auto* what = static_cast<const What*>(sqlite3_value_pointer(arguments[0], type));
  if (what == nullptr) return sqlite3_result_null(context);
  RowDocuments documents;
  const RowScope row(documents_of(count - 1, arguments + 1, documents));
  auto result = evaluate(*what, row.scope());
  if (const Error* error = row.error()) {
    const std::string message = "a stored document does not decode: " + error->message;
    return sqlite3_result_error(context, message.c_str(), static_cast<int>(message.size()));
  }
  if (const Status status = row.budget().status(); !status) return give_limit(context, status.error());
  give(result);
}

void value_function(sqlite3_context* context, int count, sqlite3_value** arguments) {
  evaluate_row<Operand>(context, count, arguments, kOperandType, [&](const std::optional<Value>& value) {
    return value ? store::give_value(context, *value) : sqlite3_result_null(context);
  });
}

void kind_function(sqlite3_context* context, int count, sqlite3_value** arguments) {
  evaluate_row<Operand>(context, count, arguments, kOperandType, [&](const std::optional<Value>& value) {
    sqlite3_result_int(context, !value ? 0 : counts_as_null(*value) ? 1 : 2);
  });
}

void condition_function(sqlite3_context* context, int count, sqlite3_value** arguments) {
  evaluate_row<Expression>(context, count, arguments, kExpressionType,
                           [&](Truth truth) { give_truth(context, truth); });
}

}  // namespace

void register_functions(sqlite3* connection) {
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  constexpr int kVariadic = -1;
  const auto add = [&](const char* name, int arguments, void (*function)(sqlite3_context*, int, sqlite3_value**)) {
    // Fails only without memory, and then the first statement that names the function says so.
    sqlite3_create_function_v2(connection, name, arguments, kFlags, nullptr, function, nullptr, nullptr, nullptr);
  };
  add("fermata_truth", 1, truth_function);
  add("fermata_like", 2, like_function);
  add("fermata_value", kVariadic, value_function);
  add("fermata_value_kind", kVariadic, kind_function);
  add("fermata_condition", kVariadic, condition_function);
}

int bind_operand(sqlite3_stmt* statement, int index, const Operand* operand) {
  return sqlite3_bind_pointer(statement, index, const_cast<Operand*>(operand), kOperandType, nullptr);
}

int bind_expression(sqlite3_stmt* statement, int index, const Expression* expression) {
  return sqlite3_bind_pointer(statement, index, const_cast<Expression*>(expression), kExpressionType, nullptr);
}

}  // namespace fermata::query
