#include "cli/line_socket.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace fermata::cli {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kBacklog = 16;
constexpr std::chrono::seconds kSendTimeout{5};

// sun_path holds 108 bytes and people's paths do not: the directory is opened and named by its descriptor.
Result<Fd> open_directory(const std::string& directory) {
  Fd fd(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (fd) return fd;
  const int error = errno;
  const ErrorCode code = error == ENOENT || error == ENOTDIR ? ErrorCode::NotFound : ErrorCode::Io;
  return fail(code, fmt::format("cannot open the directory {}: {}", directory, std::strerror(error)));
}

sockaddr_un address_in(const Fd& directory, std::string_view name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  fmt::format_to_n(address.sun_path, sizeof address.sun_path - 1, "/proc/self/fd/{}/{}", directory.fd(), name);
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// SO_SNDTIMEO bounds a send() to a side that reads nothing, and on a Unix socket a connect() to a full queue, too.
void limit_waiting(int fd) {
  timeval time{};
  time.tv_sec = kSendTimeout.count();
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

Error connect_error(int error, const std::string& directory) {
  const std::string path = fmt::format("{}/{}", directory, kControlSocket);
  if (error == ENOENT) return {ErrorCode::NotFound, fmt::format("no control socket at {}", path)};
  if (error == ECONNREFUSED) return {ErrorCode::Closed, fmt::format("nobody listens at {}", path)};
  if (error == EAGAIN) {
    return {ErrorCode::Timeout, fmt::format("the server of {} does not answer; is it suspended?", directory)};
  }
  return {ErrorCode::Io, fmt::format("cannot connect to {}: {}", path, std::strerror(error))};
}

int remaining_ms(std::chrono::milliseconds within, SteadyClock::time_point start) {
  if (within == kForever) return -1;
  const auto left = within - std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - start);
  return left.count() < 0 ? 0 : static_cast<int>(left.count());
}

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

Fd& Fd::operator=(Fd&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Result<std::string> LineSocket::read_line(std::chrono::milliseconds within, int wake_fd) {
  const auto start = SteadyClock::now();
  while (true) {
    const std::size_t end = buffer_.find('\n', searched_);
    if (end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      searched_ = 0;
      return line;
    }
    searched_ = buffer_.size();
    if (buffer_.size() > longest_) {
      return fail(ErrorCode::LimitExceeded, fmt::format("a line is longer than {} MiB", longest_ >> 20));
    }
    pollfd entries[2] = {{fd_.fd(), POLLIN, 0}, {wake_fd, POLLIN, 0}};
    const int ready = ::poll(entries, 2, remaining_ms(within, start));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return fail(ErrorCode::Io, fmt::format("cannot wait for a line: {}", std::strerror(errno)));
    if (ready == 0) return fail(ErrorCode::Timeout, "no line came in time");
    if (entries[1].revents != 0) return fail(ErrorCode::Closed, "told to end");
    char chunk[1 << 16];
    const ssize_t n = ::recv(fd_.fd(), chunk, sizeof chunk, 0);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n <= 0) return fail(ErrorCode::Closed, "the other side ended the connection");
    buffer_.append(chunk, static_cast<std::size_t>(n));
  }
}

Status LineSocket::write_line(std::string text) {
  text += '\n';
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t n = ::send(fd_.fd(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return fail(ErrorCode::Timeout, "the other side takes nothing");
    if (n < 0) return fail(ErrorCode::Closed, fmt::format("the other side is gone: {}", std::strerror(errno)));
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

void LineSocket::shut_down() {
  ::shutdown(fd_.fd(), SHUT_RDWR);
}

bool is_readable(int fd) {
  pollfd entry{fd, POLLIN, 0};
  return fd >= 0 && ::poll(&entry, 1, 0) == 1;
}

Result<LineSocket> connect_control(const std::string& directory) {
  auto folder = open_directory(directory);
  if (!folder) return fail(folder.error());
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail(ErrorCode::Io, fmt::format("cannot make a socket: {}", std::strerror(errno)));
  limit_waiting(fd.fd());
  const sockaddr_un address = address_in(*folder, kControlSocket);
  while (::connect(fd.fd(), generic(address), sizeof address) != 0) {
    if (errno != EINTR) return fail(connect_error(errno, directory));
  }
  return LineSocket(std::move(fd), std::string::npos);
}

// Bound and listening under a name of its own first, then renamed: at no moment does the real name refuse a connection
// or stand open to other users.
Result<Fd> listen_control(const std::string& directory) {
  auto folder = open_directory(directory);
  if (!folder) return fail(folder.error());
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const std::string temporary = fmt::format("{}.{}", kControlSocket, ::getpid());
  ::unlinkat(folder->fd(), temporary.c_str(), 0);
  const sockaddr_un address = address_in(*folder, temporary);
  const bool bound = fd && ::bind(fd.fd(), generic(address), sizeof address) == 0;
  if (bound && ::fchmodat(folder->fd(), temporary.c_str(), S_IRUSR | S_IWUSR, 0) == 0 &&
      ::listen(fd.fd(), kBacklog) == 0 &&
      ::renameat(folder->fd(), temporary.c_str(), folder->fd(), kControlSocket.data()) == 0) {
    return fd;
  }
  const int error = errno;
  if (bound) ::unlinkat(folder->fd(), temporary.c_str(), 0);
  const ErrorCode code = error == ENOSPC || error == EDQUOT ? ErrorCode::NoSpace : ErrorCode::Io;
  return fail(code,
              fmt::format("cannot make the control socket {}/{}: {}", directory, kControlSocket, std::strerror(error)));
}

void remove_control(const std::string& directory) {
  auto folder = open_directory(directory);
  if (folder) ::unlinkat(folder->fd(), kControlSocket.data(), 0);
}

}  // namespace fermata::cli
