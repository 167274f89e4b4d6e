// The insides of a MemoryDisk: its files, its faults, and what SQLite holds of an open file.
#pragma once

#include <sqlite3.h>

#include <limits>
#include <map>
#include <mutex>

#include "support/memory_file.hpp"
#include "support/memory_vfs.hpp"

namespace fermata::support {

// What SQLite holds while a file is open: it allocates szOsFile bytes and we construct this in them.
struct MemoryHandle {
  sqlite3_file base{};
  MemoryDisk::Impl* disk = nullptr;
  std::shared_ptr<MemoryFile> file;
  int lock = SQLITE_LOCK_NONE;
  bool shm_open = false;
  unsigned shm_shared = 0, shm_exclusive = 0;  // bit i: holds lock i
};

struct MemoryDisk::Impl {
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

  mutable std::mutex mutex;
  std::string name;
  sqlite3_vfs vfs{};
  std::map<std::string, std::shared_ptr<MemoryFile>, std::less<>> files;
  std::uint64_t boots = 1, copies = 0;
  bool powered = true;
  std::uint64_t free_space = kNever;
  std::uint64_t write_fault = kNever, sync_fault = kNever, power_fault = kNever;  // numbers of calls
  std::uint64_t open_fault = kNever, operation_fault = kNever;
  std::size_t handles = 0;
  DiskStats stats;

  enum class Loss : std::uint8_t { All, Suffix, Torn };

  void restart(Loss loss, Random* random);
  // Power may go with this operation. Whether there still is any.
  bool operate();
  [[nodiscard]] int allow_write(const MemoryFile& file, std::uint64_t end);
};

// How SQLite reads, writes and locks a MemoryHandle.
[[nodiscard]] const sqlite3_io_methods& memory_io_methods();

}  // namespace fermata::support
