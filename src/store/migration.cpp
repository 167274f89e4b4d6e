#include "store/migration.hpp"

#include <map>

#include "crdt/digest.hpp"
#include "crdt/document.hpp"
#include "store/schema.hpp"

namespace fermata::store {

namespace {

// The documents move to a new table, because columns added behind the bodies would cost every look at them the pages
// that a long body fills.
constexpr const char* kMakeRoom = R"sql(
ALTER TABLE state RENAME TO old_state;
ALTER TABLE documents RENAME TO old_documents;
)sql";
constexpr const char* kCleanUp = R"sql(
UPDATE state SET (actor, commit_seq, stamp, local_seq, clean) =
                 (SELECT actor, commit_seq, stamp, local_seq, clean FROM old_state) WHERE id = 0;
DROP TABLE old_state;
DROP TABLE old_documents;
)sql";

// By collection number.
using Digests = std::map<std::uint64_t, crdt::Digest>;

// A row that does not decode is kept as it is: whoever asks for it is told, and everybody else goes on.
std::uint64_t version_of_row(const Statement& row) {
  const auto document = crdt::Document::decode(row.blob(5), row.blob(6));
  return document ? crdt::version_of(row.text(7), row.text(2), *document) : 0;
}

Status copy_row(Connection& connection, const Statement& row, WallTime now, Digests& digests) {
  auto insert = connection.prepare(
      "INSERT INTO documents(rowid, collection, id, life, seq, version, buried, body, meta) "
      "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (!insert) {
    return fail(std::move(insert).error());
  }
  const std::string id = row.text(2);
  const std::uint64_t life = row.number(3);
  const std::uint64_t version = version_of_row(row);
  digests[row.number(1)].add(version);
  insert->bind(1, row.number(0)).bind(2, row.number(1)).bind(3, id).bind(4, life).bind(5, row.number(4));
  insert->bind(6, version);
  if (life % 2 == 0) {
    insert->bind(7, static_cast<std::uint64_t>(now.time_since_epoch().count()));
  }
  return insert->bind_blob(8, row.blob(5)).bind_blob(9, row.blob(6)).run();
}

Status copy_rows(Connection& connection, WallTime now, Digests& digests) {
  auto rows = connection.prepare(
      "SELECT d.rowid, d.collection, d.id, d.life, d.seq, d.body, d.meta, c.name FROM old_documents AS d "
      "JOIN collections AS c ON c.id = d.collection ORDER BY d.rowid");
  if (!rows) {
    return fail(std::move(rows).error());
  }
  for (;;) {
    auto found = rows->step();
    if (!found || !*found) {
      return found ? Status() : fail(std::move(found).error());
    }
    if (auto copied = copy_row(connection, *rows, now, digests); !copied) {
      return copied;
    }
  }
}

Status save_digests(Connection& connection, const Digests& digests) {
  for (const auto& [number, digest] : digests) {
    if (auto saved = save_digest(connection, number, digest); !saved) {
      return saved;
    }
  }
  return {};
}

Status from_1_to_2(Connection& connection, WallTime now) {
  Digests digests;
  return connection.execute(kMakeRoom)
      .and_then([&] { return create_documents(connection); })
      .and_then([&] { return copy_rows(connection, now, digests); })
      .and_then([&] { return connection.execute(kCleanUp); })
      .and_then([&] { return create_indexes(connection); })
      .and_then([&] { return save_digests(connection, digests); });
}

// Format by format, each step from what the one before left.
Status step_up(Connection& connection, const std::string& format, WallTime now) {
  Status done = format == "1" ? from_1_to_2(connection, now) : Status();
  return done.and_then([&] { return create_additions(connection); })
      .and_then([&] { return name_format(connection); })
      .and_then([&] { return save_written(connection, {.written = now}); });
}

}  // namespace

Status migrate(Connection& connection, WallTime now) {
  const auto format = connection.ask("PRAGMA user_version");
  if (!format) {
    return fail(format.error());
  }
  return connection.transact([&] { return step_up(connection, *format, now); });
}

}  // namespace fermata::store
