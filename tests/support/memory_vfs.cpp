#include "support/memory_vfs.hpp"

#include <sqlite3.h>

#include <atomic>
#include <cstring>
#include <new>
#include <string_view>

#include "support/memory_disk.hpp"

namespace fermata::support {

void MemoryDisk::Impl::restart(Loss loss, Random* random) {
  for (auto& [path, file] : files) {
    const std::size_t survivors =
        loss != Loss::Suffix ? 0 : static_cast<std::size_t>(random->below(std::uint64_t{file->unsynced()} + 1));
    auto next = loss == Loss::Torn ? file->after_torn_power_loss(*random) : file->after_power_loss(survivors);
    file->dead = true;
    file = std::move(next);
  }
  ++boots;
  powered = true;
  free_space = write_fault = sync_fault = power_fault = open_fault = operation_fault = kNever;
}

bool MemoryDisk::Impl::operate() {
  if (++stats.operations >= operation_fault) {
    powered = false;
  }
  return powered;
}

// SQLITE_OK, or why a write that ends at `end` fails. Takes the growth off the free space.
int MemoryDisk::Impl::allow_write(const MemoryFile& file, std::uint64_t end) {
  ++stats.writes;
  if (!operate() || stats.writes >= power_fault) {
    powered = false;
  }
  if (file.dead || !powered) {
    return SQLITE_IOERR_WRITE;
  }
  if (stats.writes == write_fault) {
    return SQLITE_IOERR_WRITE;
  }
  const std::uint64_t size = file.content().size();
  const std::uint64_t growth = end > size ? end - size : 0;
  if (growth > free_space) {
    return SQLITE_FULL;
  }
  if (free_space != kNever) {
    free_space -= growth;
  }
  return SQLITE_OK;
}

namespace {

MemoryDisk::Impl& disk_of(sqlite3_vfs* vfs) {
  return *static_cast<MemoryDisk::Impl*>(vfs->pAppData);
}
sqlite3_vfs& system_vfs() {
  static sqlite3_vfs* const vfs = sqlite3_vfs_find("unix");
  return *vfs;
}

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* out, int flags, int* out_flags) {
  MemoryDisk::Impl& disk = disk_of(vfs);
  const std::lock_guard guard(disk.mutex);
  out->pMethods = nullptr;  // nothing for SQLite to close should we fail
  if (++disk.stats.opens == disk.open_fault || !disk.powered) {
    return SQLITE_CANTOPEN;
  }
  std::shared_ptr<MemoryFile> file;
  if (name == nullptr) {
    file = std::make_shared<MemoryFile>();  // a temporary file
  } else if (const auto found = disk.files.find(name); found != disk.files.end()) {
    file = found->second;
  } else if ((flags & SQLITE_OPEN_CREATE) != 0) {
    file = disk.files[name] = std::make_shared<MemoryFile>();
  } else {
    return SQLITE_CANTOPEN;
  }
  auto* handle = new (out) MemoryHandle;
  handle->base.pMethods = &memory_io_methods();
  handle->disk = &disk;
  handle->file = std::move(file);
  handle->file->handles.push_back(handle);
  ++disk.handles;
  if (out_flags != nullptr) {
    *out_flags = flags;
  }
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int) {
  MemoryDisk::Impl& disk = disk_of(vfs);
  const std::lock_guard guard(disk.mutex);
  if (!disk.operate()) {
    return SQLITE_IOERR_DELETE;
  }
  return disk.files.erase(name) > 0 ? SQLITE_OK : SQLITE_IOERR_DELETE_NOENT;
}

int access_file(sqlite3_vfs* vfs, const char* name, int flags, int* result) {
  MemoryDisk::Impl& disk = disk_of(vfs);
  const std::lock_guard guard(disk.mutex);
  const auto found = disk.files.find(name);
  // As on Unix, an empty file does not exist for SQLite: it looks for journals worth reading.
  const bool there = found != disk.files.end() && (flags != SQLITE_ACCESS_EXISTS || !found->second->content().empty());
  *result = there ? 1 : 0;
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
  const std::size_t length = std::strlen(name);
  if (length + 1 > static_cast<std::size_t>(size)) {
    return SQLITE_CANTOPEN;
  }
  std::memcpy(out, name, length + 1);
  return SQLITE_OK;
}

int randomness(sqlite3_vfs*, int size, char* out) {
  return system_vfs().xRandomness(&system_vfs(), size, out);
}
int pause_thread(sqlite3_vfs*, int microseconds) {
  return system_vfs().xSleep(&system_vfs(), microseconds);
}
int current_time(sqlite3_vfs*, double* out) {
  return system_vfs().xCurrentTime(&system_vfs(), out);
}
int current_time_64(sqlite3_vfs*, sqlite3_int64* out) {
  return system_vfs().xCurrentTimeInt64(&system_vfs(), out);
}
int last_error(sqlite3_vfs*, int, char*) {
  return 0;
}

void fill_vfs(sqlite3_vfs& vfs, const char* name, MemoryDisk::Impl* disk) {
  vfs.iVersion = 2;
  vfs.szOsFile = static_cast<int>(sizeof(MemoryHandle));
  vfs.mxPathname = 512;
  vfs.zName = name;
  vfs.pAppData = disk;
  vfs.xOpen = open_file;
  vfs.xDelete = delete_file;
  vfs.xAccess = access_file;
  vfs.xFullPathname = full_path;
  vfs.xRandomness = randomness;
  vfs.xSleep = pause_thread;
  vfs.xCurrentTime = current_time;
  vfs.xGetLastError = last_error;
  vfs.xCurrentTimeInt64 = current_time_64;
}

}  // namespace

MemoryDisk::MemoryDisk() : impl_(std::make_unique<Impl>()) {
  static std::atomic<std::uint64_t> count{0};
  impl_->name = "fermata-memory-" + std::to_string(++count);
  sqlite3_initialize();
  fill_vfs(impl_->vfs, impl_->name.c_str(), impl_.get());
  sqlite3_vfs_register(&impl_->vfs, 0);
}

MemoryDisk::~MemoryDisk() {
  sqlite3_vfs_unregister(&impl_->vfs);
}

const std::string& MemoryDisk::vfs() const {
  return impl_->name;
}

std::string MemoryDisk::boot_id() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->name + "-boot-" + std::to_string(impl_->boots);
}

void MemoryDisk::crash() {
  const std::lock_guard guard(impl_->mutex);
  impl_->restart(Impl::Loss::All, nullptr);
}

void MemoryDisk::crash(Random& random) {
  const std::lock_guard guard(impl_->mutex);
  impl_->restart(Impl::Loss::Suffix, &random);
}

void MemoryDisk::crash_torn(Random& random) {
  const std::lock_guard guard(impl_->mutex);
  impl_->restart(Impl::Loss::Torn, &random);
}

void MemoryDisk::kill_process() {
  const std::lock_guard guard(impl_->mutex);
  for (auto& [path, file] : impl_->files) {
    auto next = file->without_handles();
    file->dead = true;
    file = std::move(next);
  }
}

void MemoryDisk::copy_from(const MemoryDisk& other) {
  std::map<std::string, std::shared_ptr<MemoryFile>, std::less<>> copies;
  {
    const std::lock_guard guard(other.impl_->mutex);
    for (const auto& [path, file] : other.impl_->files) {
      auto copy = std::make_shared<MemoryFile>();
      copy->write(0, file->content());
      copy->sync();
      copies.emplace(path, std::move(copy));
    }
  }
  const std::lock_guard guard(impl_->mutex);
  for (const auto& [path, file] : impl_->files) {
    file->dead = true;
  }
  impl_->files = std::move(copies);
  ++impl_->copies;
}

std::string MemoryDisk::file_identity() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->name + "-copy-" + std::to_string(impl_->copies);
}

void MemoryDisk::limit_free_space(std::uint64_t bytes) {
  const std::lock_guard guard(impl_->mutex);
  impl_->free_space = bytes;
}

void MemoryDisk::unlimited_space() {
  limit_free_space(Impl::kNever);
}

void MemoryDisk::fail_write(std::uint64_t n) {
  const std::lock_guard guard(impl_->mutex);
  impl_->write_fault = impl_->stats.writes + n;
}

void MemoryDisk::fail_sync(std::uint64_t n) {
  const std::lock_guard guard(impl_->mutex);
  impl_->sync_fault = impl_->stats.syncs + n;
}

void MemoryDisk::fail_open(std::uint64_t n) {
  const std::lock_guard guard(impl_->mutex);
  impl_->open_fault = impl_->stats.opens + n;
}

void MemoryDisk::lose_power_at_operation(std::uint64_t n) {
  const std::lock_guard guard(impl_->mutex);
  impl_->operation_fault = impl_->stats.operations + n;
}

void MemoryDisk::no_more_faults() {
  const std::lock_guard guard(impl_->mutex);
  impl_->write_fault = impl_->sync_fault = impl_->open_fault = Impl::kNever;
}

void MemoryDisk::lose_power_at_write(std::uint64_t n) {
  const std::lock_guard guard(impl_->mutex);
  impl_->power_fault = impl_->stats.writes + n;
}

bool MemoryDisk::powered() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->powered;
}

void MemoryDisk::put_file(const std::string& path, std::string_view content) {
  const std::lock_guard guard(impl_->mutex);
  auto file = std::make_shared<MemoryFile>();
  file->write(0, as_bytes(content));
  file->sync();
  impl_->files[path] = std::move(file);
}

bool MemoryDisk::has_file(const std::string& path) const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->files.contains(path);
}

std::size_t MemoryDisk::open_files() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->handles;
}

DiskStats MemoryDisk::stats() const {
  const std::lock_guard guard(impl_->mutex);
  DiskStats stats = impl_->stats;
  for (const auto& [path, file] : impl_->files) {
    stats.bytes_stored += file->content().size();
  }
  return stats;
}

}  // namespace fermata::support
