#include "cli/files.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

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

Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
  Fd file;
  if (path != "-") file = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const int fd = path == "-" ? STDIN_FILENO : file.fd();
  if (fd < 0) return fail(errno_error("cannot read " + path, errno));
  const auto too_large = [&] {
    return fail(ErrorCode::LimitExceeded, fmt::format("{} holds more than {} bytes", path, max_bytes));
  };
  struct stat info {};
  if (::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && std::cmp_greater(info.st_size, max_bytes)) return too_large();
  std::string text;
  char chunk[1 << 16];
  while (const ssize_t n = ::read(fd, chunk, sizeof chunk)) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(errno_error("cannot read " + path, errno));
    if (static_cast<std::size_t>(n) > max_bytes - text.size()) return too_large();
    text.append(chunk, static_cast<std::size_t>(n));
  }
  return text;
}

Error errno_error(std::string_view what, int error) {
  ErrorCode code = ErrorCode::Io;
  if (error == ENOENT || error == ENOTDIR) code = ErrorCode::NotFound;
  if (error == ENOSPC || error == EDQUOT) code = ErrorCode::NoSpace;
  return {code, fmt::format("{}: {}", what, std::strerror(error))};
}

}  // namespace fermata::cli
