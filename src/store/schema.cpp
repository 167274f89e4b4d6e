#include "store/schema.hpp"

#include <fmt/format.h>

#include <sqlite3.h>
#include <charconv>

#include "store/app_indexes.hpp"
#include "store/attachments_impl.hpp"
#include "store/checksum_vfs.hpp"

namespace fermata::store {

namespace {

constexpr const char* kTables = R"sql(
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE collections(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE sources(number INTEGER PRIMARY KEY, epoch TEXT NOT NULL UNIQUE);
CREATE TABLE cursors(epoch TEXT NOT NULL, subscription_key INTEGER NOT NULL, seq INTEGER NOT NULL,
                     PRIMARY KEY(epoch, subscription_key)) WITHOUT ROWID;
CREATE TABLE devices(device_id TEXT PRIMARY KEY, epoch TEXT NOT NULL) WITHOUT ROWID;
)sql";

constexpr const char* kDocuments = R"sql(
CREATE TABLE state(id INTEGER PRIMARY KEY, actor INTEGER, commit_seq INTEGER, stamp INTEGER, local_seq INTEGER,
                   clean INTEGER, purged_seq INTEGER, live INTEGER, digest_low INTEGER, digest_high INTEGER);
INSERT INTO state(id, actor, commit_seq, stamp, local_seq, clean, purged_seq) VALUES(0, 0, 0, 0, 0, 1, 0);
CREATE TABLE documents(rowid INTEGER PRIMARY KEY, collection INTEGER NOT NULL, id TEXT NOT NULL, life INTEGER NOT NULL,
                       seq INTEGER NOT NULL, version INTEGER NOT NULL, buried INTEGER, keep INTEGER NOT NULL DEFAULT 0,
                       body BLOB NOT NULL, meta BLOB NOT NULL);
)sql";

constexpr const char* kIndexes = R"sql(
CREATE UNIQUE INDEX documents_by_id ON documents(collection, id);
CREATE INDEX documents_log ON documents(seq, collection, version);
CREATE INDEX documents_buried ON documents(buried) WHERE buried IS NOT NULL;
)sql";

Status fill_new(Connection& connection, const Identity& identity) {
  return connection.execute(kTables)
      .and_then([&] { return create_documents(connection); })
      .and_then([&] { return create_additions(connection); })
      .and_then([&] { return create_indexes(connection); })
      .and_then([&] { return connection.execute(fmt::format("PRAGMA application_id = {}", kApplicationId).c_str()); })
      .and_then([&] { return name_format(connection); })
      .and_then([&] { return save_state(connection, identity); })
      .and_then([&] { return save_names(connection, identity); });
}

}  // namespace

Status create_documents(Connection& connection) {
  return connection.execute(kDocuments);
}

Status create_indexes(Connection& connection) {
  return connection.execute(kIndexes);
}

// One line for each part of the database that came with format 3 and has tables of its own.
Status create_additions(Connection& connection) {
  return create_index_table(connection).and_then([&] { return create_attachments(connection); });
}

Status name_format(Connection& connection) {
  return connection.execute(fmt::format("PRAGMA user_version = {}", kFormat).c_str());
}

Status save_name(Connection& connection, std::string_view key, const std::string& value) {
  auto statement = connection.prepare("INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)");
  if (!statement) {
    return fail(std::move(statement).error());
  }
  return statement->bind(1, key).bind(2, value).run();
}

Result<std::string> load_name(Connection& connection, std::string_view key) {
  auto statement = connection.prepare("SELECT value FROM meta WHERE key = ?");
  if (!statement) {
    return fail(std::move(statement).error());
  }
  auto found = statement->bind(1, key).step();
  if (!found) {
    return fail(std::move(found).error());
  }
  return *found ? statement->text(0) : std::string();
}

Status save_digest(Connection& connection, std::uint64_t collection, const crdt::Digest& digest) {
  auto statement =
      connection.prepare("INSERT OR REPLACE INTO state(live, digest_low, digest_high, id) VALUES(?, ?, ?, ?)");
  if (!statement) {
    return fail(std::move(statement).error());
  }
  return statement->bind(1, digest.count).bind(2, digest.low).bind(3, digest.high).bind(4, collection).run();
}

Result<Content> inspect(Connection& connection, const std::string& owner) {
  auto application = connection.ask("PRAGMA application_id");
  auto version = connection.ask("PRAGMA user_version");
  auto tables = connection.ask("SELECT count(*) FROM sqlite_master");
  for (auto* answer : {&application, &version, &tables}) {
    if (!*answer) {
      return fail(std::move(*answer).error());
    }
  }
  if (*application == "0" && *tables == "0") {
    return Content::Empty;
  }
  if (*application != std::to_string(kApplicationId)) {
    return fail(ErrorCode::Corrupt,
                fmt::format("{} is not a Fermata database: its fermata.db belongs to another program", owner));
  }
  std::uint32_t format = 0;
  std::from_chars(version->data(), version->data() + version->size(), format);
  if (format >= kOldestFormat && format < kFormat) {
    return Content::OlderFormat;
  }
  if (format != kFormat) {
    return fail(ErrorCode::VersionMismatch,
                fmt::format("{}: the database has format {}, this version knows {}; use a newer Fermata", owner,
                            *version, kFormat));
  }
  return Content::Database;
}

Status configure_writer(Connection& connection) {
  reserve_checksums(connection.handle());
  auto mode = connection.ask("PRAGMA journal_mode = WAL");
  if (!mode) {
    return fail(std::move(mode).error());
  }
  if (*mode != "wal") {
    return fail(ErrorCode::Io, "SQLite cannot use a write-ahead log on this disk; use a local file system");
  }
  // A commit writes several pages, most of them again in the next: the log that is kept is used before it is emptied.
  return connection.execute(
      "PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -3072;"
      "PRAGMA journal_size_limit = 8388608;");
}

Status configure_reader(Connection& connection) {
  if (auto demanded = demand_checksums(connection); !demanded) {
    return demanded;
  }
  // The writer alone checkpoints, at closing too.
  connection.keep_log(true);
  return connection.execute("PRAGMA temp_store = MEMORY; PRAGMA cache_size = -5120; PRAGMA wal_autocheckpoint = 0;");
}

Status vacuum(Connection& connection) {
  // In a file, not in memory, because it is a second copy of everything.
  Status done = connection.execute("PRAGMA temp_store = FILE; VACUUM");
  Status back = connection.execute("PRAGMA temp_store = MEMORY");
  return done ? back : done;
}

Status add_checksums(Connection& connection) {
  if (has_checksums(connection.handle())) {
    return demand_checksums(connection);
  }
  if (auto vacuumed = vacuum(connection); !vacuumed) {
    return vacuumed;
  }
  // A file whose log says that there are checksums must have them itself: that is how damage to the header is told.
  const int code =
      sqlite3_wal_checkpoint_v2(connection.handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  return code == SQLITE_OK ? demand_checksums(connection) : fail(connection.error(code));
}

Status demand_checksums(Connection& connection) {
  const int code = require_checksums(connection.handle());
  return code == SQLITE_OK ? Status() : fail(connection.error(code));
}

Status create_schema(Connection& connection, const Identity& identity) {
  return connection.transact([&] { return fill_new(connection, identity); });
}

Result<Identity> load_identity(Connection& connection) {
  Identity identity;
  {
    auto statement =
        connection.prepare("SELECT actor, commit_seq, stamp, local_seq, clean, purged_seq FROM state WHERE id = 0");
    if (!statement) {
      return fail(std::move(statement).error());
    }
    auto found = statement->step();
    if (!found) {
      return fail(std::move(found).error());
    }
    if (!*found) {
      return fail(connection.error(SQLITE_CORRUPT));
    }
    identity.actor = statement->number(0);
    identity.commit_seq = statement->number(1);
    identity.stamp = {statement->number(2)};
    identity.local_seq = statement->number(3);
    identity.clean = statement->number(4) != 0;
    identity.purged_seq = statement->number(5);
  }
  auto names = load_names(connection);
  if (!names) {
    return names;
  }
  identity.epoch = std::move(names->epoch);
  identity.boot_id = std::move(names->boot_id);
  identity.file = std::move(names->file);
  identity.written = names->written;
  return identity;
}

Result<Identity> load_names(Connection& connection) {
  Identity identity;
  auto epoch = load_name(connection, "epoch");
  auto boot = load_name(connection, "boot_id");
  auto file = load_name(connection, "file");
  auto written = load_name(connection, "written");
  for (auto* answer : {&epoch, &boot, &file, &written}) {
    if (!*answer) {
      return fail(std::move(*answer).error());
    }
  }
  identity.epoch = *std::move(epoch);
  identity.boot_id = *std::move(boot);
  identity.file = *std::move(file);
  std::int64_t ms = 0;
  std::from_chars(written->data(), written->data() + written->size(), ms);
  identity.written = WallTime(std::chrono::milliseconds(ms));
  return identity;
}

Status save_state(Connection& connection, const Identity& identity) {
  auto statement = connection.prepare(
      "UPDATE state SET actor = ?, commit_seq = ?, stamp = ?, local_seq = ?, clean = ? WHERE id = 0");
  if (!statement) {
    return fail(std::move(statement).error());
  }
  return statement->bind(1, identity.actor)
      .bind(2, identity.commit_seq)
      .bind(3, identity.stamp.value)
      .bind(4, identity.local_seq)
      .bind(5, std::uint64_t{identity.clean ? 1u : 0u})
      .run();
}

Status save_written(Connection& connection, const Identity& identity) {
  return save_name(connection, "written", fmt::format("{}", identity.written.time_since_epoch().count()));
}

Status save_names(Connection& connection, const Identity& identity) {
  return save_name(connection, "epoch", identity.epoch)
      .and_then([&] { return save_name(connection, "boot_id", identity.boot_id); })
      .and_then([&] { return save_name(connection, "file", identity.file); });
}

}  // namespace fermata::store
