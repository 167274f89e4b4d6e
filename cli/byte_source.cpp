#include "cli/byte_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "cli/files.hpp"

namespace fermata::cli {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 18;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

Result<ByteSource> ByteSource::open(const std::string& path) {
  Fd file;
  if (path != "-") file = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const int fd = path == "-" ? STDIN_FILENO : file.fd();
  if (fd < 0) return fail(errno_error("cannot read " + path, errno));
  ByteSource source(std::move(file), fd, path);
  struct stat info {};
  if (::fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) source.size_ = static_cast<std::uint64_t>(info.st_size);
  if (source.look_ahead(kByteOrderMark.size()).starts_with(kByteOrderMark)) source.at_ += kByteOrderMark.size();
  if (!source.status_) return fail(source.status_.error());
  return source;
}

std::string_view ByteSource::take_run(std::string_view stops) {
  if (peek() == kEnd) return {};
  const std::string_view rest = std::string_view(buffer_).substr(at_);
  const std::string_view run = rest.substr(0, rest.find_first_of(stops));
  line_ += static_cast<std::uint64_t>(std::count(run.begin(), run.end(), '\n'));
  at_ += run.size();
  return run;
}

void ByteSource::skip_blank() {
  for (int next = peek(); next == ' ' || next == '\t' || next == '\r' || next == '\n'; next = peek()) take();
}

std::string_view ByteSource::look_ahead(std::size_t bytes) {
  while (buffer_.size() - at_ < bytes && fill()) {
  }
  return std::string_view(buffer_).substr(at_, bytes);
}

// Adds a piece behind what has not been taken.
bool ByteSource::fill() {
  if (ended_) return false;
  before_buffer_ += at_;
  buffer_.erase(0, std::exchange(at_, 0));
  const std::size_t kept = buffer_.size();
  buffer_.resize(kept + kPiece);
  ssize_t n = -1;
  do {
    n = ::read(fd_, buffer_.data() + kept, kPiece);
  } while (n < 0 && errno == EINTR);
  if (n < 0) status_ = fail(errno_error("cannot read " + name_, errno));
  buffer_.resize(kept + (n > 0 ? static_cast<std::size_t>(n) : 0));
  ended_ = n <= 0;
  return n > 0;
}

}  // namespace fermata::cli
