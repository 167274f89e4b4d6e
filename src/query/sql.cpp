#include "query/sql.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <memory>

#include "query/sqlite_functions.hpp"

namespace fermata::query {
namespace {

bool is_text(const Operand& operand) {
  const auto* value = std::get_if<Value>(&operand);
  return value != nullptr && value->if_a<std::string>() != nullptr;
}

class Compiler {
 public:
  CompiledSelect take() { return {std::move(sql_), std::move(bindings_)}; }

  void select(const SelectStatement& statement) {
    sql_ =
        "SELECT d.id, d.body FROM documents AS d WHERE d.collection = (SELECT c.id FROM collections AS c WHERE c.name "
        "= ";
    bind(statement.collection);
    sql_ += ") AND d.life % 2 = 1";
    if (statement.where != nullptr) {
      sql_ += " AND ";
      expression(*statement.where);
    }
    sql_ += " ORDER BY ";
    for (const OrderTerm& term : statement.order) order(term);
    sql_ += "d.id";
    if (statement.limit) {
      sql_ += " LIMIT ";
      bind(Value(static_cast<long long>(*statement.limit)));
    }
  }

 private:
  void bind(Value value) {
    bindings_.push_back(std::move(value));
    sql_ += '?';
    sql_ += std::to_string(bindings_.size());
  }

  void call(std::string_view function, const crdt::Path& path) {
    sql_ += function;
    sql_ += "(d.body, ";
    bind(encode_path(path));
    sql_ += ')';
  }

  // Missing last, whichever the direction.
  void order(const OrderTerm& term) {
    const std::string_view direction = term.direction == Direction::Descending ? " DESC, " : ", ";
    if (term.path.front() == kIdField) {
      if (is_id(term.path)) sql_ += "d.id" + std::string(direction);
      return;
    }
    call("fermata_kind", term.path);
    sql_ += " = 0, ";
    call("fermata_get", term.path);
    sql_ += direction;
  }

  void operand(const Operand& operand) {
    if (const auto* value = std::get_if<Value>(&operand)) return bind(*value);
    const auto& path = std::get<crdt::Path>(operand);
    if (is_id(path)) {
      sql_ += "+d.id";  // the plus takes the column's affinity away, so that 5 is not '5'
    } else if (path.front() == kIdField) {
      sql_ += "NULL";
    } else {
      call("fermata_get", path);
    }
  }

  // Against text alone the affinity has no effect, and the bare column can use the primary key.
  void needle(const Expression& node) {
    const auto* path = std::get_if<crdt::Path>(&node.operands[0]);
    if (path != nullptr && is_id(*path) && std::all_of(node.operands.begin() + 1, node.operands.end(), is_text)) {
      sql_ += "d.id";
    } else {
      operand(node.operands[0]);
    }
  }

  // 0 missing, 1 null, 2 anything else, as fermata_kind().
  void kind(const Operand& operand) {
    const auto* path = std::get_if<crdt::Path>(&operand);
    if (path == nullptr) {
      sql_ += std::get<Value>(operand).is_null() ? '1' : '2';
    } else if (path->front() == kIdField) {
      sql_ += is_id(*path) ? '2' : '0';
    } else {
      call("fermata_kind", *path);
    }
  }

  // Halving keeps SQLite's own tree shallow; it refuses chains of a thousand.
  void joined(const std::vector<Expression>& children, std::size_t from, std::size_t to, std::string_view word) {
    if (to - from == 1) return expression(children[from]);
    const std::size_t middle = from + (to - from) / 2;
    sql_ += '(';
    joined(children, from, middle, word);
    sql_ += word;
    joined(children, middle, to, word);
    sql_ += ')';
  }

  void list(const Expression& node) {
    for (std::size_t i = 1; i < node.operands.size(); ++i) {
      if (i > 1) sql_ += ", ";
      operand(node.operands[i]);
    }
  }

  void expression(const Expression& node) {
    switch (node.kind) {
      case ExpressionKind::And:
        return joined(node.children, 0, node.children.size(), " AND ");
      case ExpressionKind::Or:
        return joined(node.children, 0, node.children.size(), " OR ");
      default:
        break;
    }
    sql_ += '(';
    switch (node.kind) {
      case ExpressionKind::Not:
        sql_ += "NOT ";
        expression(node.children.front());
        break;
      case ExpressionKind::Compare:
        needle(node);
        sql_ += sign_of(node.comparison);
        operand(node.operands[1]);
        break;
      case ExpressionKind::In:
        needle(node);
        sql_ += " IN (";
        list(node);
        sql_ += ')';
        break;
      default:
        leaf(node);
        break;
    }
    sql_ += ')';
  }

  void leaf(const Expression& node) {
    switch (node.kind) {
      case ExpressionKind::Like:
        sql_ += "fermata_like(";
        operand(node.operands[0]);
        sql_ += ", ";
        operand(node.operands[1]);
        sql_ += ')';
        break;
      case ExpressionKind::IsNull:
        kind(node.operands[0]);
        sql_ += " = 1";
        break;
      case ExpressionKind::IsMissing:
        kind(node.operands[0]);
        sql_ += " = 0";
        break;
      default:
        sql_ += "fermata_truth(";
        operand(node.operands[0]);
        sql_ += ')';
        break;
    }
  }

  std::string sql_;
  std::vector<Value> bindings_;
};

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using SqlStatement = std::unique_ptr<sqlite3_stmt, Finalize>;

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

tl::unexpected<Error> sql_error(sqlite3* connection) {
  const std::string message = std::string("reading the database failed: ") + sqlite3_errmsg(connection);
  switch (sqlite3_errcode(connection) & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return fail(ErrorCode::Busy, message + "; try again");
    case SQLITE_ERROR:  // our functions, on a body that does not decode
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return fail(ErrorCode::Corrupt, message + "; restore the database from another peer");
    case SQLITE_TOOBIG:
      return fail(ErrorCode::LimitExceeded, message + "; pass a smaller value");
    default:
      return fail(ErrorCode::Io, message);
  }
}

Result<SqlStatement> prepare(sqlite3* connection, const CompiledSelect& select) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(connection, select.sql.data(), static_cast<int>(select.sql.size()), &raw, nullptr) !=
      SQLITE_OK) {
    return sql_error(connection);
  }
  SqlStatement statement(raw);
  for (std::size_t i = 0; i < select.bindings.size(); ++i) {
    if (bind_value(raw, static_cast<int>(i + 1), select.bindings[i]) != SQLITE_OK) return sql_error(connection);
  }
  return statement;
}

}  // namespace

CompiledSelect compile(const SelectStatement& statement) {
  Compiler compiler;
  compiler.select(statement);
  return compiler.take();
}

Status run(sqlite3* connection, const CompiledSelect& select, const OnRow& on_row) {
  auto statement = prepare(connection, select);
  if (!statement) return fail(statement.error());
  sqlite3_stmt* const row = statement->get();
  int step = sqlite3_step(row);
  for (; step == SQLITE_ROW; step = sqlite3_step(row)) {
    const auto* id = reinterpret_cast<const char*>(sqlite3_column_text(row, 0));
    const std::string_view id_text(id == nullptr ? "" : id, static_cast<std::size_t>(sqlite3_column_bytes(row, 0)));
    const auto* body = static_cast<const std::uint8_t*>(sqlite3_column_blob(row, 1));
    const ByteView body_view(body, body == nullptr ? 0 : static_cast<std::size_t>(sqlite3_column_bytes(row, 1)));
    if (auto taken = on_row(id_text, body_view); !taken) return taken;
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
