#include "cli/files.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace fermata::cli {

Result<NewFile> NewFile::create(const std::string& path, mode_t mode) {
  std::string temporary = fmt::format("{}.{}.new", path, ::getpid());
  Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!fd) return fail(errno_error("cannot write " + path, errno));
  return NewFile(std::move(fd), path, std::move(temporary));
}

NewFile::~NewFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Status NewFile::commit() {
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
