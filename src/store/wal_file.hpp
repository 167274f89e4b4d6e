// SQLite's write-ahead log, written with one call for each commit. SQLite itself makes two for each page: the head of a
// frame, then the page; a commit of ours has about four, and calls are what a commit that waits for no disk costs.
//
// Frames that are appended are gathered until the one that ends a commit, which is when SQLite may let others see them,
// or until there are many; and whatever else is asked of the file comes after them. So nobody finds out, but for when
// an error shows: with the last frame of a commit instead of the first, and the commit fails either way.
// Frames: "WAL Frame Header" in SQLite's file format (www.sqlite.org/fileformat2.html).
#pragma once

#include <sqlite3.h>

#include "store/log_note.hpp"

namespace fermata::store {

// What SQLite has to allocate for one before the file of the inner VFS.
[[nodiscard]] int wal_file_bytes();

// As xOpen of the VFS `base`, into a file that gathers, and clears `note` (if there is one) before what was committed
// goes from it. Result: an SQLite code.
[[nodiscard]] int open_wal_file(sqlite3_vfs* base, LogNote* note, const char* name, sqlite3_file* out, int flags,
                                int* out_flags);

}  // namespace fermata::store
