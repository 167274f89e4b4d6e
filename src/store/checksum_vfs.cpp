#include "store/checksum_vfs.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <vector>

#include "base/hash.hpp"
#include "store/file_forwarding.hpp"
#include "store/wal_file.hpp"

namespace fermata::store {

namespace {

struct VfsParts {
  sqlite3_vfs* base = nullptr;
  LogNote* note = nullptr;
};

}  // namespace

struct ChecksumVfs::Impl {
  sqlite3_vfs vfs{};
  VfsParts parts;
  std::string name;
};

namespace {

constexpr int kMinPage = 512;
constexpr std::size_t kHeaderMagic = 16, kReservedBytesAt = 20;
// Far from SQLite's own operations.
constexpr int kHasChecksums = 0x46650001, kRequireChecksums = 0x46650002, kMeterPages = 0x46650003;

// What SQLite holds of an open main database file: szOsFile bytes, in which the file of the base VFS comes second.
struct CheckedFile {
  sqlite3_file base;
  bool has_checksums;  // until the header says otherwise
  bool required;
  std::atomic<std::uint64_t>* meter;  // or null
  std::uint8_t* copy;                 // of the page that is being written; SQLite's own must not change
  int copy_bytes;
};
using Forward = Forwarding<CheckedFile>;

VfsParts& parts_of(sqlite3_vfs* vfs) {
  return *static_cast<VfsParts*>(vfs->pAppData);
}

sqlite3_vfs* base_of(sqlite3_vfs* vfs) {
  return parts_of(vfs).base;
}

void checksum_of(const std::uint8_t* page, int size, sqlite3_int64 offset, std::uint8_t* out) {
  const std::uint64_t sum =
      fast_hash64({page, static_cast<std::size_t>(size - kChecksumBytes)}, static_cast<std::uint64_t>(offset));
  for (int i = 0; i < kChecksumBytes; ++i) out[i] = static_cast<std::uint8_t>(sum >> (8 * i));
}

// SQLite reads and writes whole pages, and else only parts of the header.
bool is_page(int amount, sqlite3_int64 offset) {
  return amount >= kMinPage && (amount & (amount - 1)) == 0 && offset % amount == 0;
}

void count(CheckedFile& file, int amount) {
  if (file.meter != nullptr) *file.meter += static_cast<std::uint64_t>(amount);
}

// The beginning of the file says whether there are checksums.
void learn(CheckedFile& file, const std::uint8_t* bytes, int amount, sqlite3_int64 offset) {
  if (offset != 0 || static_cast<std::size_t>(amount) <= kReservedBytesAt) return;
  file.has_checksums =
      std::memcmp(bytes, "SQLite format 3", kHeaderMagic) == 0 && bytes[kReservedBytesAt] == kChecksumBytes;
}

int close_file(sqlite3_file* file) {
  sqlite3_free(Forward::self(file).copy);
  return Forward::close(file);
}

int read_file(sqlite3_file* file, void* out, int amount, sqlite3_int64 offset) {
  CheckedFile& self = Forward::self(file);
  const int code = Forward::read(file, out, amount, offset);
  if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) return code;
  const auto* bytes = static_cast<const std::uint8_t*>(out);
  if (code == SQLITE_OK) learn(self, bytes, amount, offset);
  count(self, amount);
  if (!is_page(amount, offset) || !(self.has_checksums || self.required)) return code;
  if (code == SQLITE_IOERR_SHORT_READ) return SQLITE_IOERR_CORRUPTFS;
  const ByteView page(bytes, static_cast<std::size_t>(amount));
  return is_page_as_written(page, static_cast<std::uint64_t>(offset)) ? SQLITE_OK : SQLITE_IOERR_DATA;
}

int write_file(sqlite3_file* file, const void* bytes, int amount, sqlite3_int64 offset) {
  CheckedFile& self = Forward::self(file);
  const auto* page = static_cast<const std::uint8_t*>(bytes);
  learn(self, page, amount, offset);
  count(self, amount);
  if (!is_page(amount, offset) || !(self.has_checksums || self.required)) {
    return Forward::write(file, bytes, amount, offset);
  }
  if (self.copy_bytes < amount) {
    auto* copy = static_cast<std::uint8_t*>(sqlite3_realloc(self.copy, amount));
    if (copy == nullptr) return SQLITE_IOERR_NOMEM;
    self.copy = copy;
    self.copy_bytes = amount;
  }
  std::memcpy(self.copy, page, static_cast<std::size_t>(amount - kChecksumBytes));
  checksum_of(page, amount, offset, self.copy + amount - kChecksumBytes);
  return Forward::write(file, self.copy, amount, offset);
}

int control_file(sqlite3_file* file, int operation, void* argument) {
  CheckedFile& self = Forward::self(file);
  if (operation == kHasChecksums) {
    *static_cast<bool*>(argument) = self.has_checksums;
    return SQLITE_OK;
  }
  if (operation == kRequireChecksums) {
    self.required = true;
    return self.has_checksums ? SQLITE_OK : SQLITE_CORRUPT;
  }
  if (operation == kMeterPages) {
    self.meter = static_cast<std::atomic<std::uint64_t>*>(argument);
    return SQLITE_OK;
  }
  return Forward::control(file, operation, argument);
}

sqlite3_file* file_of(sqlite3* connection) {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  return file;
}

const sqlite3_io_methods& checked_methods() {
  static const sqlite3_io_methods table = [] {
    sqlite3_io_methods m = Forward::methods();
    m.xClose = close_file;
    m.xRead = read_file;
    m.xWrite = write_file;
    m.xFileControl = control_file;
    return m;
  }();
  return table;
}

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* out, int flags, int* out_flags) {
  sqlite3_vfs* const base = base_of(vfs);
  if ((flags & SQLITE_OPEN_WAL) != 0) {
    return open_wal_file(base, parts_of(vfs).note, name, out, flags, out_flags);
  }
  if ((flags & SQLITE_OPEN_MAIN_DB) == 0) {
    return base->xOpen(base, name, out, flags, out_flags);
  }
  new (out) CheckedFile{.base = {}, .has_checksums = true, .required = false, .meter = nullptr, .copy = nullptr};
  return Forward::open(base, name, out, flags, out_flags, checked_methods());
}

int delete_file(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  if (LogNote* const note = parts_of(vfs).note; note != nullptr && std::string_view(name).ends_with("-wal")) {
    note->clear();
  }
  return base_of(vfs)->xDelete(base_of(vfs), name, sync_directory);
}
int access_file(sqlite3_vfs* vfs, const char* name, int flags, int* result) {
  return base_of(vfs)->xAccess(base_of(vfs), name, flags, result);
}
int full_path(sqlite3_vfs* vfs, const char* name, int size, char* out) {
  return base_of(vfs)->xFullPathname(base_of(vfs), name, size, out);
}
int randomness(sqlite3_vfs* vfs, int size, char* out) {
  return base_of(vfs)->xRandomness(base_of(vfs), size, out);
}
int pause_thread(sqlite3_vfs* vfs, int microseconds) {
  return base_of(vfs)->xSleep(base_of(vfs), microseconds);
}
int current_time(sqlite3_vfs* vfs, double* out) {
  return base_of(vfs)->xCurrentTime(base_of(vfs), out);
}
int current_time_64(sqlite3_vfs* vfs, sqlite3_int64* out) {
  return base_of(vfs)->xCurrentTimeInt64(base_of(vfs), out);
}
int last_error(sqlite3_vfs* vfs, int size, char* out) {
  return base_of(vfs)->xGetLastError(base_of(vfs), size, out);
}

void fill_vfs(sqlite3_vfs& vfs, VfsParts& parts, const char* name) {
  sqlite3_vfs* const base = parts.base;
  vfs.iVersion = 2;
  vfs.szOsFile = std::max(static_cast<int>(sizeof(CheckedFile)), wal_file_bytes()) + base->szOsFile;
  vfs.mxPathname = base->mxPathname;
  vfs.zName = name;
  vfs.pAppData = &parts;
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

ChecksumVfs::ChecksumVfs(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<ChecksumVfs>> ChecksumVfs::around(const std::string& base, LogNote* note) {
  static std::atomic<std::uint64_t> count{0};
  auto impl = std::make_unique<Impl>();
  impl->parts = {.base = sqlite3_vfs_find(base.empty() ? nullptr : base.c_str()), .note = note};
  if (impl->parts.base == nullptr) {
    return fail(ErrorCode::Io, fmt::format("SQLite has no VFS '{}'; register it first", base));
  }
  impl->name = fmt::format("fermata-checksums-{}", ++count);
  fill_vfs(impl->vfs, impl->parts, impl->name.c_str());
  if (sqlite3_vfs_register(&impl->vfs, 0) != SQLITE_OK) {
    return fail(ErrorCode::Io, "SQLite cannot register a VFS: out of memory; free some and try again");
  }
  return std::unique_ptr<ChecksumVfs>(new ChecksumVfs(std::move(impl)));
}

ChecksumVfs::~ChecksumVfs() {
  sqlite3_vfs_unregister(&impl_->vfs);
}

const std::string& ChecksumVfs::name() const {
  return impl_->name;
}

bool is_page_as_written(ByteView page, std::uint64_t offset) {
  std::uint8_t sum[kChecksumBytes];
  checksum_of(page.data(), static_cast<int>(page.size()), static_cast<sqlite3_int64>(offset), sum);
  return std::memcmp(sum, page.data() + page.size() - kChecksumBytes, kChecksumBytes) == 0;
}

bool has_checksums(sqlite3* connection) {
  bool found = false;
  return sqlite3_file_control(connection, "main", kHasChecksums, &found) == SQLITE_OK && found;
}

int require_checksums(sqlite3* connection) {
  return sqlite3_file_control(connection, "main", kRequireChecksums, nullptr);
}

void meter_pages(sqlite3* connection, std::atomic<std::uint64_t>* bytes) {
  sqlite3_file_control(connection, "main", kMeterPages, bytes);
}

int visit_damaged_pages(sqlite3* connection, int page_bytes, const std::function<int(std::uint64_t page)>& visit) {
  sqlite3_file* const file = file_of(connection);
  sqlite3_int64 size = 0;
  if (const int code = Forward::size(file, &size); code != SQLITE_OK) return code;
  std::vector<std::uint8_t> content(static_cast<std::size_t>(page_bytes));
  for (sqlite3_int64 offset = 0; offset < size; offset += page_bytes) {
    int code = read_file(file, content.data(), page_bytes, offset);
    if (code == SQLITE_IOERR_DATA || code == SQLITE_IOERR_CORRUPTFS) {
      code = visit(static_cast<std::uint64_t>(offset / page_bytes) + 1);
    }
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

int clear_page(sqlite3* connection, int page_bytes, std::uint64_t page) {
  const std::vector<std::uint8_t> nothing(static_cast<std::size_t>(page_bytes));
  return write_file(file_of(connection), nothing.data(), page_bytes, static_cast<sqlite3_int64>(page - 1) * page_bytes);
}

void reserve_checksums(sqlite3* connection) {
  int bytes = kChecksumBytes;
  sqlite3_file_control(connection, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes);
}

}  // namespace fermata::store
