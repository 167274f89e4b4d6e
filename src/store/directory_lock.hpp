// One process per database directory: an exclusive flock on DIR/lock, given back with the object. The file also tells
// that there has been a database here, so that one that is lost is not begun anew in silence, and has the log's note.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "store/log_note.hpp"

namespace fermata::store {

// What becomes of a directory in which nothing can be written. Share: it is held with all who only read, none of whom
// is there where the file is not.
enum class Unwritable { Refuse, Share };

class DirectoryLock {
 public:
  // Errors: Busy (somebody holds it), NoSpace, Io.
  [[nodiscard]] static Result<std::unique_ptr<DirectoryLock>> take(const std::string& directory,
                                                                   Unwritable unwritable = Unwritable::Refuse);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;

  [[nodiscard]] bool knows_of_database() const;
  // Once its tables are on the disk for certain. Should it fail, the next opening does it.
  void note_database() const;
  // Of what was exclusively taken.
  [[nodiscard]] LogNote& log_note() { return log_note_; }

 private:
  explicit DirectoryLock(int fd) : fd_(fd), log_note_(fd) {}
  int fd_;
  LogNote log_note_;
};

// Makes the directory if it is missing and may be made. Errors: NotFound (must exist, but no database is there), Io.
enum class MissingDirectory { Create, Refuse };
[[nodiscard]] Status prepare_directory(const std::string& directory, MissingDirectory missing);

// 0 for a file that is not there.
[[nodiscard]] std::uintmax_t file_bytes(const std::string& path);

// SQLite may write one byte into a file that it makes, and takes that for empty.
inline constexpr std::uintmax_t kEmptyFileBytes = 1;
// In words, if the database's file is too short to be one; else empty.
[[nodiscard]] std::string shortness_of_database(const std::string& directory);

}  // namespace fermata::store
