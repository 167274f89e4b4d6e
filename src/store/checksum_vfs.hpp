// Checksums on the pages of a database file: an SQLite VFS around another one.
//
// Each page of the main database file ends in 8 bytes of its own (SQLite's "reserved bytes"): XXH3-64 of the rest of
// the page, little endian, seeded with the page's offset, so that a page in another's place is noticed. They are made
// when a page is written to the file and compared when it is read; a read that finds something else fails with
// SQLITE_IOERR_DATA, one beyond the end of the file with SQLITE_IOERR_CORRUPTFS, and gives no data. Files without these
// bytes (header byte 20 is not 8) pass through untouched, until require_checksums(); a file that is empty when it is
// opened must be made with them (reserve_checksums). The log's frames
// have SQLite's checksums, which are compared when a log is recovered; it is only written in fewer calls
// (wal_file.hpp).
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "store/log_note.hpp"

struct sqlite3;

namespace fermata::store {

inline constexpr int kChecksumBytes = 8;

// Registered under a name of its own as long as it lives. Must outlive the connections that use it.
class ChecksumVfs {
 public:
  // Around the VFS of that name; empty: SQLite's default. `note` is cleared before a log loses what was committed;
  // null: there is none. Error: Io (no such VFS).
  [[nodiscard]] static Result<std::unique_ptr<ChecksumVfs>> around(const std::string& base, LogNote* note = nullptr);
  ~ChecksumVfs();
  ChecksumVfs(const ChecksumVfs&) = delete;
  [[nodiscard]] const std::string& name() const;

 private:
  struct Impl;
  explicit ChecksumVfs(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// A page of the file, with its checksum.
[[nodiscard]] bool is_page_as_written(ByteView page, std::uint64_t offset);
// Of a connection through a ChecksumVfs. Whether the file has checksums, as far as its header was read or written.
[[nodiscard]] bool has_checksums(sqlite3* connection);
// From now on a page without its checksum is damage, whatever the header says. Result: an SQLite code.
[[nodiscard]] int require_checksums(sqlite3* connection);
// The next database made, or vacuumed, has room for them.
void reserve_checksums(sqlite3* connection);
// Reads each page of the file, whatever it is used for, past SQLite and its log. Result: an SQLite code, of what is not
// damage.
[[nodiscard]] int visit_damaged_pages(sqlite3* connection, int page_bytes,
                                      const std::function<int(std::uint64_t page)>& visit);
// Makes a page that nothing refers to readable again, as zeroes. Result: an SQLite code.
[[nodiscard]] int clear_page(sqlite3* connection, int page_bytes, std::uint64_t page);
// Adds the bytes that this connection reads from the file and writes to it; null: no more.
void meter_pages(sqlite3* connection, std::atomic<std::uint64_t>* bytes);

}  // namespace fermata::store
