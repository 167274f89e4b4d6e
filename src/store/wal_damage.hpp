// What SQLite's recovery of its write-ahead log does not tell: it ends at the first frame that is not what was written,
// as if nothing had been committed after it. After a power cut that is so, because what was not synced may be there in
// any part. Within one boot it is damage: a killed process leaves all that it has written.
//
// The log is the one in "The Write-Ahead Log", of SQLite's file format (www.sqlite.org/fileformat2.html): each frame's
// checksum goes on from that of the frame before, and its salt says since when the log was begun anew.
#pragma once

#include <optional>

#include "store/connection.hpp"

struct sqlite3_file;

namespace fermata::store {

// The open log of a connection, null if it has none.
[[nodiscard]] sqlite3_file* log_of(Connection& connection);

// What is damaged in it, in words, if commits of this boot stand behind that. For a connection that has not written
// yet. Damage to the last commit is not told from one that was never finished.
[[nodiscard]] Result<std::optional<std::string>> lost_in_log(Connection& connection, const std::string& boot_id);

}  // namespace fermata::store
