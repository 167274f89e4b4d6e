// The tables, their format number, and the identity that a database remembers.
//
//   documents    one row per document. `seq` is its local seq; `life` is odd for the living; `version` is
//                crdt::version_of, 0 for the dead; `buried` is the wall time, in milliseconds since 1970, of a dead
//                one's last commit here, null for the living; `keep` is 1 for
//                what must never be purged; `body` is CBOR of the view, `meta` what merging needs.
//                The index documents_log is the local-seq log, and holds all that versions are read for.
//   collections  numbers for names, from 1. sources: numbers for remote stores. cursors, devices: what sync keeps.
//   state        what every commit rewrites, in one table so that it fills one page of the log and not two. Row 0: the
//                identity; and `purged_seq`, which purges write. Row n: the crdt::Digest of collection n.
//   attachments  one row per content of an attachment; `hash` is null while it is unknown, and once nobody may find it;
//                `stored` of its `size` bytes are here; `touched` is wall time, in milliseconds since 1970.
//   attachment_chunks  its bytes, 64 KiB each; `id` is that of the attachment times 2^31, plus the chunk's number.
//   meta: what changes rarely (epoch, boot_id, file), the facts of higher layers, as "kept.KEY", and
//   attachments.judged: what was touched kAttachmentGrace before that wall time, in milliseconds since 1970, has been
//   looked for in all documents.
#pragma once

#include "store/connection.hpp"
#include "store/store.hpp"

namespace fermata::store {

inline constexpr const char* kDatabaseFile = "fermata.db";
inline constexpr std::uint32_t kFormat = 3;
inline constexpr std::uint32_t kOldestFormat = 1;            // that a migration knows
inline constexpr std::uint32_t kApplicationId = 0x4665726d;  // "Ferm"

// Commits in between do not pay for a page more of the log.
inline constexpr std::chrono::seconds kWrittenEvery{1};

struct Identity {
  crdt::ActorId actor = 0;
  std::uint64_t commit_seq = 0;  // of the actor's last commit
  crdt::Stamp stamp;             // the clock's last
  std::uint64_t local_seq = 0;   // of the last change
  std::uint64_t purged_seq = 0;  // the highest of any tombstone that was purged
  // No change was committed since the last clean close. Set back by the first commit, which is synced to the platter,
  // because a power cut must not bring back "clean" together with an older commit_seq.
  bool clean = true;
  Epoch epoch;
  std::string boot_id;
  // When we last wrote to the file, by the wall clock, or up to kWrittenEvery earlier: nobody else should have written
  // to it later. 0: unknown.
  WallTime written{};
  std::string file;  // which file the database was in when this was saved; empty: unknown
};

enum class Content { Empty, Database, OlderFormat };

// What the file is. Errors: VersionMismatch, Corrupt (not ours, damaged).
[[nodiscard]] Result<Content> inspect(Connection& connection, const std::string& owner);
// Settings of the connection that writes; turns on WAL. A database that is not there yet begins with checksums.
[[nodiscard]] Status configure_writer(Connection& connection);
[[nodiscard]] Status configure_reader(Connection& connection);
// Rewrites the whole database without its free pages, in a transaction of its own.
[[nodiscard]] Status vacuum(Connection& connection);
// Gives every page a checksum that has none yet, in a transaction of its own.
[[nodiscard]] Status add_checksums(Connection& connection);
// From now on a page without its checksum is Corrupt.
[[nodiscard]] Status demand_checksums(Connection& connection);
// All tables and the identity, as one transaction.
[[nodiscard]] Status create_schema(Connection& connection, const Identity& identity);
// Its parts that a migration needs too; within the caller's transaction.
[[nodiscard]] Status create_documents(Connection& connection);
[[nodiscard]] Status create_indexes(Connection& connection);
[[nodiscard]] Status create_additions(Connection& connection);  // what format 3 added
[[nodiscard]] Status name_format(Connection& connection);
// One row of `meta`; loads an empty text if there is none.
[[nodiscard]] Status save_name(Connection& connection, std::string_view key, const std::string& value);
[[nodiscard]] Result<std::string> load_name(Connection& connection, std::string_view key);
[[nodiscard]] Status save_digest(Connection& connection, std::uint64_t collection, const crdt::Digest& digest);
[[nodiscard]] Result<Identity> load_identity(Connection& connection);
// Only what save_names() and save_written() save. Of any format.
[[nodiscard]] Result<Identity> load_names(Connection& connection);
// Without purged_seq, and what the next two save.
[[nodiscard]] Status save_state(Connection& connection, const Identity& identity);
[[nodiscard]] Status save_written(Connection& connection, const Identity& identity);
[[nodiscard]] Status save_names(Connection& connection, const Identity& identity);  // epoch, boot_id, file

}  // namespace fermata::store
