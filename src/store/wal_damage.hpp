// What SQLite's recovery of its write-ahead log does not tell: it ends at the first frame that is not what was written,
// as if nothing had been committed after it. After a power cut that is so, because what was not synced may be there in
// any part. Within one boot it is damage: a killed process leaves all that it has written, and a note of how much that
// is (log_note.hpp).
//
// The log is the one in "The Write-Ahead Log", of SQLite's file format (www.sqlite.org/fileformat2.html): each frame's
// checksum goes on from that of the frame before, and its salt says since when the log was begun anew.
#pragma once

#include <optional>

#include "base/time.hpp"
#include "store/connection.hpp"

struct sqlite3_file;

namespace fermata::store {

// The open log of a connection, null if it has none.
[[nodiscard]] sqlite3_file* log_of(Connection& connection);

// What should be in the log.
struct ExpectedLog {
  std::uint32_t frames = 0;  // LogNote::frames(), or 0
  // Of the database's file as it is: identity_of_file(), last_change().
  std::string file;
  std::optional<WallTime> changed;
};
// What of that is not there, in words. Of a copy nothing is expected: what was noted beside it is of another log. For a
// connection that has not written yet.
[[nodiscard]] Result<std::optional<std::string>> lost_in_log(Connection& connection, const ExpectedLog& expected);

}  // namespace fermata::store
