#include "net/socket.hpp"

#include <netinet/tcp.h>

#include <cerrno>
#include <system_error>

namespace fermata::net {
namespace {

constexpr int kSocketFlags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
constexpr int kBacklog = 128;

// Small frames must not wait for acknowledgements of earlier ones. Failing costs only time.
void send_at_once(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

tl::unexpected<Error> listen_failed(int error, const std::string& address) {
  switch (error) {
    case EADDRINUSE:
      return fail(ErrorCode::Busy, address + " is in use by another program; stop it or choose another port");
    case EADDRNOTAVAIL:
      return fail(ErrorCode::InvalidArgument,
                  "cannot listen on " + address + ": it is no address of this machine; use one of its own or 0.0.0.0");
    case EACCES:
      return fail(ErrorCode::Io,
                  "cannot listen on " + address + ": ports below 1024 need a privilege; choose a higher port");
    default:
      return fail(ErrorCode::Io, "cannot listen on " + address + ": " + errno_text(error));
  }
}

}  // namespace

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

Result<Fd> open_listener(const Endpoint& endpoint, const std::string& address) {
  Fd fd(::socket(endpoint.storage.ss_family, kSocketFlags, 0));
  const int on = 1;
  // Without it, the connections of a listener that is gone would keep its port busy for a minute.
  if (!fd || setsockopt(fd.value(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(fd.value(), endpoint.raw(), endpoint.size) != 0 || listen(fd.value(), kBacklog) != 0) {
    return listen_failed(errno, address);
  }
  return fd;
}

Endpoint local_endpoint(int fd) {
  Endpoint endpoint;
  getsockname(fd, endpoint.raw(), &endpoint.size);
  return endpoint;
}

Fd accept_one(int listener, Endpoint& remote, int& error) {
  remote = Endpoint{};
  Fd fd(accept4(listener, remote.raw(), &remote.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  error = fd ? 0 : errno;
  if (fd) send_at_once(fd.value());
  return fd;
}

Fd start_connect(const Endpoint& endpoint, int& error) {
  Fd fd(::socket(endpoint.storage.ss_family, kSocketFlags, 0));
  if (!fd) {
    error = errno;
    return fd;
  }
  send_at_once(fd.value());
  error = connect(fd.value(), endpoint.raw(), endpoint.size) == 0 || errno == EINPROGRESS ? 0 : errno;
  return error == 0 ? std::move(fd) : Fd();
}

int connect_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

}  // namespace fermata::net
