// A disk in memory that can lose power: a SQLite VFS of its own, for StoreOptions::vfs. Several connections of one
// process can share a database on it in WAL mode (shared memory is supported).
//
//   MemoryDisk disk;
//   auto store = Store::open({.directory = "/peer", .vfs = disk.vfs(), .boot_id = disk.boot_id(), ...});
//   disk.crash();    // power is lost: what was not synced is gone, and every open file is dead
//   store.reset();   // its last writes fail on the dead files and change nothing
//   store = Store::open(...same, .boot_id = disk.boot_id()...);
//
// The model of power loss, but for crash_torn(): within one file, writes and truncations reach the platter in order,
// and a sync waits for all of them; files do not wait for each other. Creating and deleting a file is durable at once.
//
// Thread-safe. Must outlive every connection on it; open handles do not survive crash() or kill_process().
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/random.hpp"

namespace fermata::support {

struct DiskStats {
  std::uint64_t writes = 0, syncs = 0, opens = 0;  // calls, failed ones too
  std::uint64_t operations = 0;                    // writes, syncs, truncations and deletions of files
  std::uint64_t bytes_written = 0;
  std::uint64_t bytes_stored = 0;  // the sum of the sizes of all files
};

class MemoryDisk {
 public:
  MemoryDisk();
  ~MemoryDisk();
  MemoryDisk(const MemoryDisk&) = delete;
  MemoryDisk& operator=(const MemoryDisk&) = delete;

  [[nodiscard]] const std::string& vfs() const;  // unique in the process
  [[nodiscard]] std::string boot_id() const;     // another one after each crash()

  // Power loss and restart. Nothing that was not synced survives; or, of each file, a random prefix of it.
  // Ends every mode set below.
  void crash();
  void crash(Random& random);
  // Worse: of each file any of the unsynced operations survive, and of a write any of its sectors of 512 bytes.
  void crash_torn(Random& random);
  // The process dies, the machine does not: open files are dead, their content stays, synced or not.
  void kill_process();

  // This disk's files become copies of the other's, as programs see those now, all synced. Open files are dead.
  void copy_from(const MemoryDisk& other);
  // For StoreOptions::file_identity: another one after each copy_from().
  [[nodiscard]] std::string file_identity() const;

  // Files may grow by this much more in all; then writes fail with SQLITE_FULL. Overwriting always works.
  void limit_free_space(std::uint64_t bytes);
  void unlimited_space();
  // The n-th call from now (1 is the next) fails once with SQLITE_IOERR and changes nothing.
  void fail_write(std::uint64_t n);
  void fail_sync(std::uint64_t n);
  void fail_open(std::uint64_t n);  // with SQLITE_CANTOPEN
  void no_more_faults();            // of the three above
  // Power goes at the n-th write from now: it and everything after it fails until crash() restarts the machine.
  void lose_power_at_write(std::uint64_t n);
  void lose_power_at_operation(std::uint64_t n);  // see DiskStats
  [[nodiscard]] bool powered() const;

  // Puts a file there as if it had been written and synced; for foreign or damaged databases.
  void put_file(const std::string& path, std::string_view content);
  [[nodiscard]] bool has_file(const std::string& path) const;
  // Files that connections have open; SQLite locks nothing else.
  [[nodiscard]] std::size_t open_files() const;
  [[nodiscard]] DiskStats stats() const;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace fermata::support
