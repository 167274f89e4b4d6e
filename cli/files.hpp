// Files that are read whole, up to a limit, and files that are written whole or not at all.
#pragma once

#include <sys/types.h>

#include <fermata/result.hpp>
#include <string>

#include "cli/line_socket.hpp"

namespace fermata::cli {

// A file under a temporary name beside its own, which takes its place at commit(). Gone with the object otherwise.
// What exists and is no regular file, a pipe or a device, is written directly.
class NewFile {
 public:
  // Errors: NotFound (no such folder), NoSpace, Io.
  [[nodiscard]] static Result<NewFile> create(const std::string& name, mode_t mode);
  ~NewFile();
  NewFile(NewFile&& other) noexcept
      : fd_(std::move(other.fd_)), path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, {})) {}
  NewFile& operator=(NewFile&&) = delete;

  [[nodiscard]] int fd() const { return fd_.fd(); }
  // On disk and under its own name. Errors: NoSpace, Io.
  [[nodiscard]] Status commit();

 private:
  NewFile(Fd fd, std::string path, std::string temporary)
      : fd_(std::move(fd)), path_(std::move(path)), temporary_(std::move(temporary)) {}

  Fd fd_;
  std::string path_, temporary_;  // temporary_ is empty once committed, or when there is none
};

// The whole content of a file, "-" for stdin. Errors: NotFound, Io; LimitExceeded, after reading little more than
// `max_bytes`: what has no end, such as a device, must not fill the memory.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t max_bytes);

// An Error from errno: "WHAT: reason", with NotFound, NoSpace or Io as its code.
[[nodiscard]] Error errno_error(std::string_view what, int error);

}  // namespace fermata::cli
