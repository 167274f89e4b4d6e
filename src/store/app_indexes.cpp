#include "store/app_indexes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/cbor.hpp"
#include "store/field_functions.hpp"

namespace fermata::store {

namespace {

Bytes encode_fields(const std::vector<IndexedField>& fields) {
  Array encoded;
  for (const IndexedField& field : fields) {
    encoded.push_back(Array{Array(field.path.begin(), field.path.end()), field.direction == Direction::Descending});
  }
  return encode_value(encoded);
}

std::optional<IndexedField> decode_field(const Value& encoded) {
  const auto* pair = encoded.if_a<Array>();
  const auto* names = pair != nullptr && pair->size() == 2 ? (*pair)[0].if_a<Array>() : nullptr;
  if (names == nullptr || names->empty()) {
    return std::nullopt;
  }
  IndexedField field;
  for (const Value& name : *names) {
    const auto* text = name.if_a<std::string>();
    if (text == nullptr) {
      return std::nullopt;
    }
    field.path.push_back(*text);
  }
  field.direction = (*pair)[1] == Value(true) ? Direction::Descending : Direction::Ascending;
  return field;
}

Result<std::vector<IndexedField>> decode_fields(ByteView bytes) {
  const auto value = decode_value(bytes);
  const auto* array = value ? value->if_a<Array>() : nullptr;
  std::vector<IndexedField> fields;
  for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
    auto field = decode_field((*array)[i]);
    if (!field) {
      break;
    }
    fields.push_back(*std::move(field));
  }
  if (array == nullptr || fields.empty() || fields.size() != array->size()) {
    return fail(ErrorCode::Corrupt, "what the database says of an index does not decode; restore a copy");
  }
  return fields;
}

// What SQLite shall think of the data, whatever they are: that a collection is large, and an equal field selects few of
// it. The plan of a statement so follows from its text and the indexes alone.
std::string statistics_sql(const Index& index) {
  std::string rows = "100000";
  std::uint64_t equal = 100;
  for (std::size_t i = 0; i < index.fields.size(); ++i, equal = std::max<std::uint64_t>(equal / 10, 2)) {
    rows += fmt::format(" {}", equal);
  }
  std::string own;  // a full-text table has its own
  if (index.kind == IndexKind::Ordered) {
    own = fmt::format(", ('documents', '{}', '{} 1')", table_of(index), rows);
  }
  return fmt::format(
      ";ANALYZE sqlite_schema;"
      "DELETE FROM sqlite_stat1 WHERE idx IN ('documents_by_id', '{}');"
      "INSERT INTO sqlite_stat1(tbl, idx, stat) VALUES('documents', 'documents_by_id', '1000000 100000 1'){};"
      "ANALYZE sqlite_schema;",
      table_of(index), own);
}

// Over the living documents of the collection only, so that others pay nothing. The id makes equals come in order.
std::string ordered_sql(const Index& index, std::uint64_t collection) {
  std::string fields;
  for (const IndexedField& field : index.fields) {
    fields += fmt::format("fermata_get(body, {}){}, ", sql_path(field.path),
                          field.direction == Direction::Descending ? " DESC" : "");
  }
  return fmt::format("CREATE INDEX {} ON documents({}id) WHERE collection = {} AND life % 2 = 1", table_of(index),
                     fields, collection);
}

// Columns are called f0, f1, … in the order of the fields.
std::string full_text_sql(const Index& index, std::uint64_t collection) {
  std::string columns, of_new, of_all;
  for (std::size_t i = 0; i < index.fields.size(); ++i) {
    const std::string path = sql_path(index.fields[i].path);
    columns += fmt::format("{}f{}", i > 0 ? ", " : "", i);
    of_new += fmt::format(", fermata_text(new.body, {})", path);
    of_all += fmt::format(", fermata_text(body, {})", path);
  }
  return fmt::format(
      "CREATE VIRTUAL TABLE {0} USING fts5({1}, tokenize = \"unicode61 remove_diacritics 2\");"
      "INSERT INTO {0}(rowid, {1}) SELECT rowid{3} FROM documents WHERE collection = {4} AND life % 2 = 1;"
      "CREATE TRIGGER {0}_inserted AFTER INSERT ON documents WHEN new.collection = {4} AND new.life % 2 = 1 BEGIN "
      "INSERT INTO {0}(rowid, {1}) SELECT new.rowid{2}; END;"
      "CREATE TRIGGER {0}_deleted AFTER DELETE ON documents WHEN old.collection = {4} BEGIN "
      "DELETE FROM {0} WHERE rowid = old.rowid; END;"
      "CREATE TRIGGER {0}_updated AFTER UPDATE OF body, life ON documents WHEN new.collection = {4} BEGIN "
      "DELETE FROM {0} WHERE rowid = old.rowid;"
      "INSERT INTO {0}(rowid, {1}) SELECT new.rowid{2} WHERE new.life % 2 = 1; END;",
      table_of(index), columns, of_new, of_all, collection);
}

}  // namespace

std::string table_of(const Index& index) {
  return fmt::format("{}{}", index.kind == IndexKind::FullText ? "app_text_" : "app_index_", index.number);
}

std::string sql_path(const crdt::Path& path) {
  return fmt::format("x'{:02x}'", fmt::join(encode_path(path), ""));
}

Result<std::vector<Index>> load_indexes(Connection& connection) {
  auto statement = connection.prepare(
      "SELECT i.number, i.kind, i.name, c.name, i.fields FROM indexes AS i JOIN collections AS c ON c.id = "
      "i.collection "
      "ORDER BY i.name");
  if (!statement) {
    return fail(std::move(statement).error());
  }
  std::vector<Index> all;
  for (;;) {
    auto more = statement->step();
    if (!more || !*more) {
      return more ? Result<std::vector<Index>>(std::move(all)) : fail(std::move(more).error());
    }
    auto fields = decode_fields(statement->blob(4));
    if (!fields) {
      return fail(std::move(fields).error());
    }
    all.push_back({statement->number(0), statement->number(1) == 1 ? IndexKind::FullText : IndexKind::Ordered,
                   statement->text(2), statement->text(3), *std::move(fields)});
  }
}

Status create_index_table(Connection& connection) {
  return connection.execute(
      "CREATE TABLE indexes(number INTEGER PRIMARY KEY, kind INTEGER NOT NULL, name TEXT NOT NULL UNIQUE, "
      "collection INTEGER NOT NULL, fields BLOB NOT NULL)");
}

Status create_index(Connection& connection, const Index& index, std::uint64_t collection) {
  Index made = index;
  {
    auto insert = connection.prepare("INSERT INTO indexes(kind, name, collection, fields) VALUES(?, ?, ?, ?)");
    if (!insert) {
      return fail(std::move(insert).error());
    }
    const Bytes fields = encode_fields(index.fields);
    insert->bind(1, std::uint64_t{index.kind == IndexKind::FullText ? 1u : 0u}).bind(2, index.name);
    if (auto inserted = insert->bind(3, collection).bind_blob(4, fields).run(); !inserted) {
      return inserted;
    }
    made.number = connection.last_rowid();
  }
  const bool is_text = index.kind == IndexKind::FullText;
  const std::string sql = is_text ? full_text_sql(made, collection) : ordered_sql(made, collection);
  return connection.execute((sql + statistics_sql(made)).c_str());
}

Status drop_index(Connection& connection, const Index& index) {
  const std::string table = table_of(index);
  const std::string forget = fmt::format("DELETE FROM indexes WHERE number = {};", index.number);
  if (index.kind == IndexKind::Ordered) {
    return connection.execute(
        (forget + fmt::format("DROP INDEX {0}; DELETE FROM sqlite_stat1 WHERE idx = '{0}';", table)).c_str());
  }
  return connection.execute((forget + fmt::format("DROP TRIGGER {0}_inserted; DROP TRIGGER {0}_deleted; "
                                                  "DROP TRIGGER {0}_updated; DROP TABLE {0};",
                                                  table))
                                .c_str());
}

}  // namespace fermata::store
