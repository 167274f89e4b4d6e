#include "cli/files.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace fermata::cli {

Result<NewFile> NewFile::create(const std::string& name, mode_t mode) {
  std::error_code error;
  const bool exists = std::filesystem::exists(name, error);
  // Through a symbolic link to what it names: a rename would replace the link.
  const std::string path = exists ? std::filesystem::canonical(name, error).string() : name;
  if (exists && !std::filesystem::is_regular_file(path, error)) {
    Fd device(::open(name.c_str(), O_WRONLY | O_CLOEXEC));
    if (!device) return fail(errno_error("cannot write " + name, errno));
    return NewFile(std::move(device), name, "");
  }
  std::string temporary = fmt::format("{}.{}.new", path, ::getpid());
  Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!fd) return fail(errno_error("cannot write " + path, errno));
  return NewFile(std::move(fd), path, std::move(temporary));
}

NewFile::~NewFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Status NewFile::commit() {
  if (temporary_.empty()) return {};
  if (::fsync(fd_.fd()) != 0 || std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    return fail(errno_error("cannot write " + path_, errno));
  }
  temporary_.clear();
  return {};
}

Error errno_error(std::string_view what, int error) {
  ErrorCode code = ErrorCode::Io;
  if (error == ENOENT || error == ENOTDIR) code = ErrorCode::NotFound;
  if (error == ENOSPC || error == EDQUOT) code = ErrorCode::NoSpace;
  return {code, fmt::format("{}: {}", what, std::strerror(error))};
}

}  // namespace fermata::cli
