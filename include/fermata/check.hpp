// Whether a database is sound, and what can be done if it is not.
#pragma once

#include <cstdint>
#include <fermata/maintenance.hpp>
#include <fermata/result.hpp>
#include <string>
#include <vector>

namespace fermata {

enum class CheckMode : std::uint8_t {
  Report,  // changes nothing, not even a time of the files
  Repair,  // and then makes anew what can be made anew
};

// In plain words, one line each; at most kMaxFindings of a kind.
struct CheckReport {
  static constexpr std::size_t kMaxFindings = 1000;

  std::uint64_t documents = 0, tombstones = 0;  // that could be read
  std::uint64_t attachments = 0;                // that are here whole, and are what their hash says
  std::vector<std::string> found;               // what is damaged, or was before the repair
  std::vector<std::string> repaired;            // what was done about it
  std::vector<std::string> remaining;           // what is damaged still
  [[nodiscard]] bool sound() const { return remaining.empty(); }
};

// Reads everything in a database that nobody has open: the checksum of every page, SQLite's own check of tables and
// indexes, every document, and what is kept about them (versions, digests, log positions, cursors) against the
// documents themselves, the content of every attachment against its hash. A repair rewrites the documents that can be
// read, with all that follows from them, in one transaction. Documents that cannot be read are removed and named; the
// database then begins with a new actor and a new epoch, so that peers compare everything with it and send what it
// lacks. An attachment whose content is not whole is removed and named as well; it can be fetched again. A log that is
// damaged, cut off or gone loses the commits from there on, and the database begins with a new actor and a new epoch
// too; it is known as such in the boot that wrote it. What other parts have lost remains, and the report says so:
// restore a backup, or sync into a new directory. A report works where nothing can be written too, unless there is a
// log. Errors: NotFound, Busy (somebody has it open), VersionMismatch (newer, or older: open it once to migrate it),
// NoSpace, Io. Damage is no error.
[[nodiscard]] Result<CheckReport> check_database(const std::string& directory, CheckMode mode = CheckMode::Report,
                                                 const Progress& progress = {});

}  // namespace fermata
