#include "store/wal_file.hpp"

#include <cstring>
#include <new>

#include "store/file_forwarding.hpp"

namespace fermata::store {
namespace {

constexpr int kFrameHead = 24, kSizeAt = 4, kSizeBytes = 4;
constexpr int kMaxGathered = 64 << 10;
constexpr sqlite3_int64 kNowhere = -1;

struct WalFile {
  sqlite3_file base;
  std::uint8_t* gathered;  // kMaxGathered bytes, or null before the first frame
  sqlite3_int64 from;      // where they belong
  sqlite3_int64 next;      // where an appended frame begins, as far as that is known
  int count;
  bool ends_commit;  // the frame whose head came last
  LogNote* note;     // or null
};
using Forward = Forwarding<WalFile>;

// Bytes that could not be written are forgotten: SQLite has been told, and writes the frames anew.
int flush(sqlite3_file* file) {
  WalFile& wal = Forward::self(file);
  const int count = wal.count;
  wal.count = 0;
  return count == 0 ? SQLITE_OK : Forward::write(file, wal.gathered, count, wal.from);
}

bool ends_commit(const std::uint8_t* head) {
  static constexpr std::uint8_t kNone[kSizeBytes] = {};
  return std::memcmp(head + kSizeAt, kNone, kSizeBytes) != 0;
}

// A head where the last write ended begins an appended frame, and its page comes next. Heads that are written anew,
// when a page of the same transaction was, begin before that, and each ends before the next one's place.
bool is_gathered(const WalFile& wal, int amount, sqlite3_int64 offset) {
  if (offset != wal.next || wal.count + amount > kMaxGathered) return false;
  return wal.count > 0 || amount == kFrameHead;
}

int gather(sqlite3_file* file, const std::uint8_t* bytes, int amount, sqlite3_int64 offset) {
  WalFile& wal = Forward::self(file);
  if (wal.gathered == nullptr) {
    wal.gathered = static_cast<std::uint8_t*>(sqlite3_malloc(kMaxGathered));
    if (wal.gathered == nullptr) return SQLITE_IOERR_NOMEM;
  }
  if (wal.count == 0) wal.from = offset;
  std::memcpy(wal.gathered + wal.count, bytes, static_cast<std::size_t>(amount));
  wal.count += amount;
  wal.next = offset + amount;
  if (amount == kFrameHead) {
    wal.ends_commit = ends_commit(bytes);
    return SQLITE_OK;
  }
  return wal.ends_commit ? flush(file) : SQLITE_OK;
}

void clear_note(const WalFile& wal) {
  if (wal.note != nullptr) wal.note->clear();
}

int write_wal(sqlite3_file* file, const void* bytes, int amount, sqlite3_int64 offset) {
  WalFile& wal = Forward::self(file);
  if (offset == 0) clear_note(wal);  // a new header: no frame counts any more
  const auto* content = static_cast<const std::uint8_t*>(bytes);
  if (!is_gathered(wal, amount, offset)) {
    if (const int code = flush(file); code != SQLITE_OK) return code;
    if (!is_gathered(wal, amount, offset)) {
      wal.next = offset + amount;
      return Forward::write(file, bytes, amount, offset);
    }
  }
  return gather(file, content, amount, offset);
}

int read_wal(sqlite3_file* file, void* out, int amount, sqlite3_int64 offset) {
  if (const int code = flush(file); code != SQLITE_OK) return code;
  return Forward::read(file, out, amount, offset);
}

int truncate_wal(sqlite3_file* file, sqlite3_int64 size) {
  clear_note(Forward::self(file));
  const int code = flush(file);
  return code == SQLITE_OK ? Forward::truncate(file, size) : code;
}

int sync_wal(sqlite3_file* file, int flags) {
  const int code = flush(file);
  return code == SQLITE_OK ? Forward::sync(file, flags) : code;
}

int size_of_wal(sqlite3_file* file, sqlite3_int64* bytes) {
  const int code = flush(file);
  return code == SQLITE_OK ? Forward::size(file, bytes) : code;
}

int control_wal(sqlite3_file* file, int operation, void* argument) {
  const int code = flush(file);
  return code == SQLITE_OK ? Forward::control(file, operation, argument) : code;
}

int close_wal(sqlite3_file* file) {
  // What is left belongs to no commit.
  sqlite3_free(Forward::self(file).gathered);
  return Forward::close(file);
}

const sqlite3_io_methods& wal_methods() {
  static const sqlite3_io_methods table = [] {
    sqlite3_io_methods m = Forward::methods();
    m.xClose = close_wal;
    m.xRead = read_wal;
    m.xWrite = write_wal;
    m.xTruncate = truncate_wal;
    m.xSync = sync_wal;
    m.xFileSize = size_of_wal;
    m.xFileControl = control_wal;
    return m;
  }();
  return table;
}

}  // namespace

int wal_file_bytes() {
  return static_cast<int>(sizeof(WalFile));
}

int open_wal_file(sqlite3_vfs* base, LogNote* note, const char* name, sqlite3_file* out, int flags, int* out_flags) {
  new (out) WalFile{
      .base = {}, .gathered = nullptr, .from = 0, .next = kNowhere, .count = 0, .ends_commit = false, .note = note};
  return Forward::open(base, name, out, flags, out_flags, wal_methods());
}

}  // namespace fermata::store
