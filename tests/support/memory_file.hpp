// The content of one file of a MemoryDisk and the locks on it. The disk's mutex guards it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.hpp"
#include "base/random.hpp"

namespace fermata::support {

struct MemoryHandle;

class MemoryFile {
 public:
  static constexpr std::size_t kShmLocks = 8;  // SQLITE_SHM_NLOCK

  [[nodiscard]] const Bytes& content() const { return content_; }
  void write(std::uint64_t offset, ByteView bytes);
  void truncate(std::uint64_t size);
  void sync();

  // The file as the platter has it, plus the first `survivors` unsynced operations. A new object: handles on this one
  // no longer reach the disk.
  [[nodiscard]] std::shared_ptr<MemoryFile> after_power_loss(std::size_t survivors) const;
  // The same with any of the unsynced operations, and of each write any of its sectors.
  [[nodiscard]] std::shared_ptr<MemoryFile> after_torn_power_loss(Random& random) const;
  // The same content and the same unsynced operations, without handles.
  [[nodiscard]] std::shared_ptr<MemoryFile> without_handles() const;
  [[nodiscard]] std::size_t unsynced() const { return pending_.size(); }

  std::vector<MemoryHandle*> handles;
  // The -shm file: regions as SQLite asked for them, and how each of its locks is held.
  std::vector<std::unique_ptr<std::uint8_t[]>> shm_regions;
  std::size_t shm_users = 0;
  std::array<std::uint32_t, kShmLocks> shm_shared{};
  std::array<bool, kShmLocks> shm_exclusive{};
  bool dead = false;  // the machine or the process that opened it is gone

 private:
  // A write of `size` bytes kept at `position` in log_, or a truncation to `offset`.
  struct Operation {
    std::uint64_t offset = 0;
    std::size_t position = 0;
    std::size_t size = 0;
    bool truncates = false;
  };
  static void write_to(Bytes& target, std::uint64_t offset, ByteView bytes);
  void apply(const Operation& operation, Bytes& target) const;
  void apply_torn(const Operation& operation, Bytes& target, Random& random) const;

  Bytes content_;  // as programs see it
  Bytes platter_;  // as of the last sync
  std::vector<Operation> pending_;
  Bytes log_;
};

}  // namespace fermata::support
