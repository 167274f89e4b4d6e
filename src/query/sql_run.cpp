#include <sqlite3.h>

#include <algorithm>
#include <array>

#include "base/cbor.hpp"
#include "query/sql.hpp"
#include "query/sqlite_functions.hpp"

namespace fermata::query {
namespace {

int bind_blob(sqlite3_stmt* statement, int index, ByteView bytes) {
  if (bytes.empty()) return sqlite3_bind_zeroblob(statement, index, 0);
  return sqlite3_bind_blob64(statement, index, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
}

int bind_value(sqlite3_stmt* statement, int index, const Value& value) {
  if (value.is_null()) return sqlite3_bind_null(statement, index);
  if (const auto* boolean = value.if_a<bool>()) return sqlite3_bind_int(statement, index, *boolean ? 1 : 0);
  if (const auto* integer = value.if_a<std::int64_t>()) return sqlite3_bind_int64(statement, index, *integer);
  if (const auto* real = value.if_a<double>()) return sqlite3_bind_double(statement, index, *real);
  if (const auto* bytes = value.if_a<Bytes>()) return bind_blob(statement, index, *bytes);
  if (const auto* text = value.if_a<std::string>()) {
    return sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  }
  if (const auto* timestamp = value.if_a<Timestamp>()) {
    const TimestampText text(*timestamp);
    return sqlite3_bind_text64(statement, index, text.view().data(), text.view().size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  }
  return bind_blob(statement, index, encode_value(value));
}

int bind_one(sqlite3_stmt* statement, int index, const Binding& binding) {
  if (const auto* value = std::get_if<Value>(&binding)) return bind_value(statement, index, *value);
  if (const auto* const* operand = std::get_if<const Operand*>(&binding)) {
    return bind_operand(statement, index, *operand);
  }
  return bind_expression(statement, index, std::get<const Expression*>(binding));
}

// What FTS5 says of a text that it cannot search for.
bool is_about_search(std::string_view detail) {
  constexpr std::string_view kBeginnings[] = {"fts5", "no such column:", "unknown special query:", "expected integer,"};
  return std::any_of(std::begin(kBeginnings), std::end(kBeginnings),
                     [&](std::string_view beginning) { return detail.starts_with(beginning); });
}

tl::unexpected<Error> sql_error(const store::Connection& connection) {
  const std::string detail = sqlite3_errmsg(connection);
  const std::string message = "reading the database failed: " + detail;
  switch (sqlite3_errcode(connection) & 0xff) {
    case SQLITE_ERROR:
      if (is_about_search(detail)) {
        return fail(ErrorCode::Syntax, "the text of MATCH does not parse (" + detail +
                                           "); put words that are not plain ones in double quotes");
      }
      // Else our functions, on a body that does not decode.
      return fail(ErrorCode::Corrupt, message + "; restore the database from another peer");
    case SQLITE_CONSTRAINT:  // our functions again
      return fail(ErrorCode::LimitExceeded, detail);
    case SQLITE_TOOBIG:
      return fail(ErrorCode::LimitExceeded, message + "; pass a smaller value");
    default:
      return fail(connection.error(sqlite3_extended_errcode(connection)));
  }
}

RowDocument document_in(sqlite3_stmt* row, int column) {
  const auto* id = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
  if (id == nullptr) return {{}, {}, false};
  const auto* body = static_cast<const std::uint8_t*>(sqlite3_column_blob(row, column + 1));
  return {std::string_view(id, static_cast<std::size_t>(sqlite3_column_bytes(row, column))),
          ByteView(body, body == nullptr ? 0 : static_cast<std::size_t>(sqlite3_column_bytes(row, column + 1)))};
}

}  // namespace

Status run(store::Connection& connection, const CompiledSelect& select, const OnRow& on_row) {
  auto prepared = connection.prepare_text(select.sql);
  if (!prepared) return fail(prepared.error());
  sqlite3_stmt* const row = prepared->handle();
  for (std::size_t i = 0; i < select.bindings.size(); ++i) {
    if (bind_one(row, static_cast<int>(i + 1), select.bindings[i]) != SQLITE_OK) return sql_error(connection);
  }
  std::array<RowDocument, kMaxJoins + 1> documents;
  int step = sqlite3_step(row);
  for (; step == SQLITE_ROW; step = sqlite3_step(row)) {
    for (std::size_t i = 0; i < select.sources; ++i) documents[i] = document_in(row, static_cast<int>(2 * i));
    if (auto taken = on_row(std::span(documents).first(select.sources)); !taken) return taken;
  }
  if (step != SQLITE_DONE) return sql_error(connection);
  return {};
}

Result<Map> decode_body(std::string_view id, ByteView body) {
  auto value = decode_value(body);
  Map* map = value ? value->if_a<Map>() : nullptr;
  if (map == nullptr) {
    return fail(ErrorCode::Corrupt, "the stored document \"" + std::string(id) +
                                        "\" does not decode; restore the database from another peer");
  }
  return std::move(*map);
}

}  // namespace fermata::query
