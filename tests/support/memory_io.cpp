#include <algorithm>
#include <atomic>
#include <cstring>

#include "support/memory_disk.hpp"

namespace fermata::support {

namespace {

MemoryHandle& handle_of(sqlite3_file* file) {
  return *reinterpret_cast<MemoryHandle*>(file);
}
bool usable(const MemoryHandle& handle) {
  return handle.disk->powered && !handle.file->dead;
}

void release_shm(MemoryHandle& handle, unsigned mask) {
  for (std::size_t i = 0; i < MemoryFile::kShmLocks; ++i) {
    const unsigned bit = mask & (1u << i);
    if ((handle.shm_shared & bit) != 0) {
      --handle.file->shm_shared[i];
    }
    if ((handle.shm_exclusive & bit) != 0) {
      handle.file->shm_exclusive[i] = false;
    }
  }
  handle.shm_shared &= ~mask;
  handle.shm_exclusive &= ~mask;
}

int shm_unmap(sqlite3_file* file, int) {
  MemoryHandle& handle = handle_of(file);
  const std::lock_guard guard(handle.disk->mutex);
  if (handle.shm_open) {
    release_shm(handle, ~0u);
    handle.shm_open = false;
    if (--handle.file->shm_users == 0) {
      handle.file->shm_regions.clear();
    }
  }
  return SQLITE_OK;
}

int close_file(sqlite3_file* file) {
  shm_unmap(file, 0);
  MemoryHandle& handle = handle_of(file);
  MemoryDisk::Impl& disk = *handle.disk;
  const std::lock_guard guard(disk.mutex);
  std::erase(handle.file->handles, &handle);
  --disk.handles;
  handle.~MemoryHandle();
  return SQLITE_OK;
}

int read_file(sqlite3_file* file, void* out, int amount, sqlite3_int64 offset) {
  MemoryHandle& handle = handle_of(file);
  const std::lock_guard guard(handle.disk->mutex);
  if (!usable(handle)) {
    return SQLITE_IOERR_READ;
  }
  const Bytes& content = handle.file->content();
  const auto start = std::min(static_cast<std::size_t>(offset), content.size());
  const auto wanted = static_cast<std::size_t>(amount);
  const auto count = std::min(wanted, content.size() - start);
  if (count > 0) {
    std::memcpy(out, content.data() + start, count);
  }
  if (count == wanted) {
    return SQLITE_OK;
  }
  std::memset(static_cast<std::uint8_t*>(out) + count, 0, wanted - count);
  return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* file, const void* bytes, int amount, sqlite3_int64 offset) {
  MemoryHandle& handle = handle_of(file);
  const std::lock_guard guard(handle.disk->mutex);
  const auto size = static_cast<std::size_t>(amount);
  const auto start = static_cast<std::uint64_t>(offset);
  if (const int rc = handle.disk->allow_write(*handle.file, start + size); rc != SQLITE_OK) {
    return rc;
  }
  handle.disk->stats.bytes_written += size;
  handle.file->write(start, {static_cast<const std::uint8_t*>(bytes), size});
  return SQLITE_OK;
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  MemoryHandle& handle = handle_of(file);
  const std::lock_guard guard(handle.disk->mutex);
  if (!handle.disk->operate() || !usable(handle)) {
    return SQLITE_IOERR_TRUNCATE;
  }
  handle.file->truncate(static_cast<std::uint64_t>(size));
  return SQLITE_OK;
}

int sync_file(sqlite3_file* file, int) {
  MemoryHandle& handle = handle_of(file);
  const std::lock_guard guard(handle.disk->mutex);
  ++handle.disk->stats.syncs;
  if (!handle.disk->operate() || !usable(handle) || handle.disk->stats.syncs == handle.disk->sync_fault) {
    return SQLITE_IOERR_FSYNC;
  }
  handle.file->sync();
  return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  MemoryHandle& handle = handle_of(file);
  const std::lock_guard guard(handle.disk->mutex);
  *size = static_cast<sqlite3_int64>(handle.file->content().size());
  return usable(handle) ? SQLITE_OK : SQLITE_IOERR_FSTAT;
}

bool another_holds(const MemoryHandle& self, int at_least) {
  return std::any_of(self.file->handles.begin(), self.file->handles.end(),
                     [&](const MemoryHandle* other) { return other != &self && other->lock >= at_least; });
}

int lock_file(sqlite3_file* file, int level) {
  MemoryHandle& handle = handle_of(file);
  const std::lock_guard guard(handle.disk->mutex);
  if (!usable(handle)) {
    return SQLITE_IOERR_LOCK;
  }
  if (handle.lock >= level) {
    return SQLITE_OK;
  }
  const int conflicting = level == SQLITE_LOCK_SHARED ? SQLITE_LOCK_PENDING : SQLITE_LOCK_RESERVED;
  if (another_holds(handle, conflicting)) {
    return SQLITE_BUSY;
  }
  if (level == SQLITE_LOCK_EXCLUSIVE && another_holds(handle, SQLITE_LOCK_SHARED)) {
    handle.lock = SQLITE_LOCK_PENDING;  // keeps new readers out while the present ones finish
    return SQLITE_BUSY;
  }
  handle.lock = level;
  return SQLITE_OK;
}

int unlock_file(sqlite3_file* file, int level) {
  MemoryHandle& handle = handle_of(file);
  const std::lock_guard guard(handle.disk->mutex);
  handle.lock = std::min(handle.lock, level);
  return SQLITE_OK;
}

int check_reserved(sqlite3_file* file, int* held) {
  MemoryHandle& handle = handle_of(file);
  const std::lock_guard guard(handle.disk->mutex);
  *held = handle.lock >= SQLITE_LOCK_RESERVED || another_holds(handle, SQLITE_LOCK_RESERVED) ? 1 : 0;
  return SQLITE_OK;
}

int file_control(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}
int sector_size(sqlite3_file*) {
  return 4096;
}
int characteristics(sqlite3_file*) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int shm_map(sqlite3_file* file, int region, int size, int extend, void volatile** out) {
  MemoryHandle& handle = handle_of(file);
  const std::lock_guard guard(handle.disk->mutex);
  *out = nullptr;
  if (!usable(handle)) {
    return SQLITE_IOERR_SHMMAP;
  }
  if (!handle.shm_open) {
    handle.shm_open = true;
    ++handle.file->shm_users;
  }
  auto& regions = handle.file->shm_regions;
  const auto index = static_cast<std::size_t>(region);
  while (extend != 0 && regions.size() <= index) {
    regions.push_back(std::make_unique<std::uint8_t[]>(static_cast<std::size_t>(size)));
  }
  if (index < regions.size()) {
    *out = regions[index].get();
  }
  return SQLITE_OK;
}

bool shm_conflict(const MemoryHandle& handle, unsigned mask, bool exclusive) {
  for (std::size_t i = 0; i < MemoryFile::kShmLocks; ++i) {
    const unsigned bit = 1u << i;
    if ((mask & bit) == 0) {
      continue;
    }
    const std::uint32_t others = handle.file->shm_shared[i] - ((handle.shm_shared & bit) != 0 ? 1u : 0u);
    if ((handle.file->shm_exclusive[i] && (handle.shm_exclusive & bit) == 0) || (exclusive && others > 0)) {
      return true;
    }
  }
  return false;
}

int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  MemoryHandle& handle = handle_of(file);
  const std::lock_guard guard(handle.disk->mutex);
  const unsigned mask = ((1u << count) - 1u) << offset;
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    release_shm(handle, mask);
    return SQLITE_OK;
  }
  if (!usable(handle)) {
    return SQLITE_IOERR_SHMLOCK;
  }
  const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  if (shm_conflict(handle, mask, exclusive)) {
    return SQLITE_BUSY;
  }
  for (std::size_t i = 0; i < MemoryFile::kShmLocks; ++i) {
    const unsigned bit = mask & (1u << i);
    if (bit == 0) {
      continue;
    }
    if (exclusive) {
      handle.file->shm_exclusive[i] = true;
    } else if ((handle.shm_shared & bit) == 0) {
      ++handle.file->shm_shared[i];
    }
    (exclusive ? handle.shm_exclusive : handle.shm_shared) |= bit;
  }
  return SQLITE_OK;
}

void shm_barrier(sqlite3_file* file) {
  // SQLite asks for a full fence and, as on Unix, for the effect of taking the mutex.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const std::lock_guard guard(handle_of(file).disk->mutex);
}

}  // namespace

const sqlite3_io_methods& memory_io_methods() {
  static const sqlite3_io_methods table = [] {
    sqlite3_io_methods m{};
    m.iVersion = 2;
    m.xClose = close_file;
    m.xRead = read_file;
    m.xWrite = write_file;
    m.xTruncate = truncate_file;
    m.xSync = sync_file;
    m.xFileSize = file_size;
    m.xLock = lock_file;
    m.xUnlock = unlock_file;
    m.xCheckReservedLock = check_reserved;
    m.xFileControl = file_control;
    m.xSectorSize = sector_size;
    m.xDeviceCharacteristics = characteristics;
    m.xShmMap = shm_map;
    m.xShmLock = shm_lock;
    m.xShmBarrier = shm_barrier;
    m.xShmUnmap = shm_unmap;
    return m;
  }();
  return table;
}

}  // namespace fermata::support
