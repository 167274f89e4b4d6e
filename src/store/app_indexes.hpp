// The indexes that an app makes: ordered ones are SQLite indexes on expressions, over the living documents of one
// collection; full-text ones are FTS5 tables that triggers keep. Both are this device's own and are never synced.
//
//   indexes  number, kind (0 ordered, 1 full text), name, collection, and the fields: CBOR, an array of [path,
//   descends]
#pragma once

#include "crdt/document.hpp"
#include "store/connection.hpp"

namespace fermata::store {

enum class IndexKind : std::uint8_t { Ordered, FullText };
enum class Direction : std::uint8_t { Ascending, Descending };

struct IndexedField {
  crdt::Path path;
  Direction direction = Direction::Ascending;
};

struct Index {
  std::uint64_t number = 0;
  IndexKind kind = IndexKind::Ordered;
  std::string name;
  std::string collection;
  std::vector<IndexedField> fields;
};

// Each index costs every write of its collection.
inline constexpr std::size_t kMaxIndexes = 64;
inline constexpr std::size_t kMaxIndexedFields = 16;

// What SQLite calls it: an index, or for full text a table.
[[nodiscard]] std::string table_of(const Index& index);
// A path as it stands in SQL: x'…'. SQLite compares expressions with those of an index by their text.
[[nodiscard]] std::string sql_path(const crdt::Path& path);

// All, by name. Error: Corrupt.
[[nodiscard]] Result<std::vector<Index>> load_indexes(Connection& connection);
[[nodiscard]] Status create_index_table(Connection& connection);
// In the caller's transaction; `collection` is its number. Reads all documents of the collection once.
[[nodiscard]] Status create_index(Connection& connection, const Index& index, std::uint64_t collection);
[[nodiscard]] Status drop_index(Connection& connection, const Index& index);

}  // namespace fermata::store
