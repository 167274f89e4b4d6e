#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/random.hpp"
#include "store/maintenance.hpp"

namespace fermata::store {

namespace {

Error system_error(int number, std::string_view path, std::string_view doing) {
  ErrorCode code = ErrorCode::Io;
  if (number == ENOSPC || number == EDQUOT) code = ErrorCode::NoSpace;
  if (number == ENOENT) code = ErrorCode::NotFound;
  if (number == EEXIST || number == ENOTEMPTY) code = ErrorCode::AlreadyExists;
  return {code, fmt::format("{}: cannot {}: {}; check the path and its permissions", path, doing,
                            std::generic_category().message(number))};
}

Error exists_already(const std::string& name) {
  return {ErrorCode::AlreadyExists, fmt::format("{} exists already; choose another name, or move it away", name)};
}

bool is_there(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

Status sync_path(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return fail(system_error(errno, path, "open it"));
  }
  const bool synced = ::fsync(fd) == 0;
  const int number = errno;
  ::close(fd);
  return synced ? Status() : fail(system_error(number, path, "write it to the disk"));
}

Status sync_files_of(const std::string& directory) {
  std::error_code failure;
  for (std::filesystem::directory_iterator it(directory, failure), end; !failure && it != end; it.increment(failure)) {
    if (auto synced = sync_path(it->path()); !synced) {
      return synced;
    }
  }
  return failure ? fail(system_error(failure.value(), directory, "list it")) : sync_path(directory);
}

std::string without_slashes(std::string name) {
  while (name.size() > 1 && name.back() == '/') name.pop_back();
  return name;
}

}  // namespace

Result<std::unique_ptr<NewDirectory>> NewDirectory::make(const std::string& given) {
  const std::string name = without_slashes(given);
  if (is_there(name)) {
    return fail(exists_already(name));
  }
  const std::string temporary = fmt::format("{}.partial-{:016x}", name, system_random().u64());
  constexpr mode_t kAsUmaskSays = 0777;
  if (::mkdir(temporary.c_str(), kAsUmaskSays) != 0) {
    return fail(system_error(errno, name, "make the directory"));
  }
  return std::unique_ptr<NewDirectory>(new NewDirectory(name, temporary));
}

NewDirectory::~NewDirectory() {
  if (!temporary_.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(temporary_, ignored);
  }
}

Status NewDirectory::commit() {
  if (auto synced = sync_files_of(temporary_); !synced) {
    return synced;
  }
  if (is_there(name_)) {
    return fail(exists_already(name_));
  }
  if (::rename(temporary_.c_str(), name_.c_str()) != 0) {
    return fail(system_error(errno, name_, "give it its name"));
  }
  temporary_.clear();
  const std::string parent = std::filesystem::path(name_).parent_path();
  return sync_path(parent.empty() ? "." : parent);
}

}  // namespace fermata::store
