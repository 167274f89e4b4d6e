// The tables, their format number, and the identity that a database remembers.
//
//   documents    one row per document. `seq` is its local seq, and the index on it is the local-seq log; `life` is odd
//                for the living; `body` is CBOR of the view, `meta` what merging needs.
//   collections  numbers for names. sources: numbers for remote stores. cursors, devices: what sync keeps.
//   state        one row, rewritten by every commit. meta: what changes rarely (epoch, boot_id,
//                file), and the facts of higher layers, as "kept.KEY".
#pragma once

#include "store/connection.hpp"
#include "store/store.hpp"

namespace fermata::store {

inline constexpr const char* kDatabaseFile = "fermata.db";
inline constexpr std::uint32_t kFormat = 1;
inline constexpr std::uint32_t kApplicationId = 0x4665726d;  // "Ferm"

struct Identity {
  crdt::ActorId actor = 0;
  std::uint64_t commit_seq = 0;  // of the actor's last commit
  crdt::Stamp stamp;             // the clock's last
  std::uint64_t local_seq = 0;   // of the last change
  // No change was committed since the last clean close. Set back by the first commit, which is synced to the platter,
  // because a power cut must not bring back "clean" together with an older commit_seq.
  bool clean = true;
  Epoch epoch;
  std::string boot_id;
  std::string file;  // which file the database was in when this was saved; empty: unknown
};

enum class Content { Empty, Database };

// What the file is. Errors: VersionMismatch, Corrupt (not ours, damaged).
[[nodiscard]] Result<Content> inspect(Connection& connection, const std::string& owner);
// Settings of the connection that writes; turns on WAL.
[[nodiscard]] Status configure_writer(Connection& connection);
[[nodiscard]] Status configure_reader(Connection& connection);
// All tables and the identity, as one transaction.
[[nodiscard]] Status create_schema(Connection& connection, const Identity& identity);
// One row of `meta`; loads an empty text if there is none.
[[nodiscard]] Status save_name(Connection& connection, std::string_view key, const std::string& value);
[[nodiscard]] Result<std::string> load_name(Connection& connection, std::string_view key);
[[nodiscard]] Result<Identity> load_identity(Connection& connection);
[[nodiscard]] Status save_state(Connection& connection, const Identity& identity);  // all but the names
[[nodiscard]] Status save_names(Connection& connection, const Identity& identity);  // epoch, boot_id, file

}  // namespace fermata::store
