// What a file of an SQLite VFS around another one passes on to the file inside as it is. SQLite allocates both as one:
// ours first, and behind it the one of the inner VFS.
#pragma once

#include <sqlite3.h>

#include <cstdint>

namespace fermata::store {

// `File` begins with an sqlite3_file and has a size that keeps what follows aligned.
template <class File>
struct Forwarding {
  static_assert(sizeof(File) % 8 == 0);

  static File& self(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
  static sqlite3_file* inner(sqlite3_file* file) {
    return reinterpret_cast<sqlite3_file*>(reinterpret_cast<std::uint8_t*>(file) + sizeof(File));
  }

  static int close(sqlite3_file* file) { return inner(file)->pMethods->xClose(inner(file)); }
  static int read(sqlite3_file* file, void* out, int amount, sqlite3_int64 offset) {
    return inner(file)->pMethods->xRead(inner(file), out, amount, offset);
  }
  static int write(sqlite3_file* file, const void* bytes, int amount, sqlite3_int64 offset) {
    return inner(file)->pMethods->xWrite(inner(file), bytes, amount, offset);
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    return inner(file)->pMethods->xTruncate(inner(file), size);
  }
  static int sync(sqlite3_file* file, int flags) { return inner(file)->pMethods->xSync(inner(file), flags); }
  static int size(sqlite3_file* file, sqlite3_int64* bytes) {
    return inner(file)->pMethods->xFileSize(inner(file), bytes);
  }
  static int lock(sqlite3_file* file, int level) { return inner(file)->pMethods->xLock(inner(file), level); }
  static int unlock(sqlite3_file* file, int level) { return inner(file)->pMethods->xUnlock(inner(file), level); }
  static int check_reserved(sqlite3_file* file, int* held) {
    return inner(file)->pMethods->xCheckReservedLock(inner(file), held);
  }
  static int control(sqlite3_file* file, int operation, void* argument) {
    return inner(file)->pMethods->xFileControl(inner(file), operation, argument);
  }
  static int sector_size(sqlite3_file* file) { return inner(file)->pMethods->xSectorSize(inner(file)); }
  static int characteristics(sqlite3_file* file) { return inner(file)->pMethods->xDeviceCharacteristics(inner(file)); }
  static int shm_map(sqlite3_file* file, int region, int bytes, int extend, void volatile** out) {
    return inner(file)->pMethods->xShmMap(inner(file), region, bytes, extend, out);
  }
  static int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
    return inner(file)->pMethods->xShmLock(inner(file), offset, count, flags);
  }
  static void shm_barrier(sqlite3_file* file) { inner(file)->pMethods->xShmBarrier(inner(file)); }
  static int shm_unmap(sqlite3_file* file, int remove) { return inner(file)->pMethods->xShmUnmap(inner(file), remove); }

  // Version 2: without memory-mapped reads, which would pass by whoever is around the file.
  static sqlite3_io_methods methods() {
    sqlite3_io_methods m{};
    m.iVersion = 2;
    m.xClose = close;
    m.xRead = read;
    m.xWrite = write;
    m.xTruncate = truncate;
    m.xSync = sync;
    m.xFileSize = size;
    m.xLock = lock;
    m.xUnlock = unlock;
    m.xCheckReservedLock = check_reserved;
    m.xFileControl = control;
    m.xSectorSize = sector_size;
    m.xDeviceCharacteristics = characteristics;
    m.xShmMap = shm_map;
    m.xShmLock = shm_lock;
    m.xShmBarrier = shm_barrier;
    m.xShmUnmap = shm_unmap;
    return m;
  }

  // Opens the file inside; `file` has been constructed. Result: an SQLite code.
  static int open(sqlite3_vfs* base, const char* name, sqlite3_file* file, int flags, int* out_flags,
                  const sqlite3_io_methods& table) {
    const int code = base->xOpen(base, name, inner(file), flags, out_flags);
    if (code == SQLITE_OK) {
      file->pMethods = &table;
    } else if (inner(file)->pMethods != nullptr) {
      inner(file)->pMethods->xClose(inner(file));  // the base asks for it even so
    }
    return code;
  }
};

}  // namespace fermata::store
