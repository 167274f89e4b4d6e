#include "store/directory_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "store/schema.hpp"

namespace fermata::store {

namespace {

bool means_unwritable(int number) {
  return number == EROFS || number == EACCES || number == EPERM;
}

Error system_error(int number, const std::string& directory, std::string_view doing) {
  const bool full = number == ENOSPC || number == EDQUOT;
  return {full ? ErrorCode::NoSpace : ErrorCode::Io,
          fmt::format("{}: cannot {}: {}; check the path and its permissions{}", directory, doing,
                      std::generic_category().message(number),
                      means_unwritable(number) ? ", or copy the directory to where it can be written to" : "")};
}

}  // namespace

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::take(const std::string& directory, Unwritable unwritable) {
  const std::string path = directory + "/lock";
  int kind = LOCK_EX;
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 && means_unwritable(errno) && unwritable == Unwritable::Share) {
    kind = LOCK_SH;
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    // Who opens a database makes one, so nobody has.
    if (fd < 0 && errno == ENOENT) return std::unique_ptr<DirectoryLock>(new DirectoryLock(fd));
  }
  if (fd < 0) {
    return fail(system_error(errno, directory, "open its lock file"));
  }
  std::unique_ptr<DirectoryLock> lock(new DirectoryLock(fd));
  if (::flock(fd, kind | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return fail(ErrorCode::Busy,
                  fmt::format("{}: another process has this database open; use that process, or stop it", directory));
    }
    return fail(system_error(errno, directory, "lock it"));
  }
  return lock;
}

DirectoryLock::~DirectoryLock() {
  if (fd_ >= 0) ::close(fd_);
}

bool DirectoryLock::knows_of_database() const {
  char first = 0;
  return ::pread(fd_, &first, 1, 0) == 1 && first != 0;
}

void DirectoryLock::note_database() const {
  constexpr std::string_view kNote = "there is a database here\n";
  static_cast<void>(::pwrite(fd_, kNote.data(), kNote.size(), 0));
}

std::uintmax_t file_bytes(const std::string& path) {
  std::error_code missing;
  const auto bytes = std::filesystem::file_size(path, missing);
  return missing ? 0 : bytes;
}

std::string shortness_of_database(const std::string& directory) {
  constexpr std::uintmax_t kSmallestPage = 512;
  const auto bytes = file_bytes(directory + "/" + kDatabaseFile);
  if (bytes >= kSmallestPage) return {};
  if (bytes <= kEmptyFileBytes) return fmt::format("its {} is empty or missing", kDatabaseFile);
  return fmt::format("its {} is cut off (bytes left: {})", kDatabaseFile, bytes);
}

Status prepare_directory(const std::string& directory, MissingDirectory missing) {
  std::error_code failure;
  if (missing == MissingDirectory::Refuse) {
    const std::string file = directory + "/" + kDatabaseFile;
    // Where it was lost, opening says so.
    const bool was_lost = file_bytes(file + "-wal") != 0 || std::ifstream(directory + "/lock").get() > 0;
    if (!std::filesystem::exists(file, failure) && !was_lost) {
      return fail(ErrorCode::NotFound,
                  fmt::format("{}: there is no Fermata database; check the path, or create one first", directory));
    }
    return {};
  }
  std::filesystem::create_directories(directory, failure);
  if (!failure && !std::filesystem::is_directory(directory, failure) && !failure) {
    failure = std::make_error_code(std::errc::not_a_directory);
  }
  return failure ? fail(system_error(failure.value(), directory, "create the directory")) : Status();
}

}  // namespace fermata::store
