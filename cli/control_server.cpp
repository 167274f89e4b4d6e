#include "cli/control_server.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "cli/control_protocol.hpp"
#include "cli/control_session.hpp"

namespace fermata::cli {

ControlServer::ControlServer(Database& database, std::string directory, std::function<Map()> status)
    : database_(database), directory_(std::move(directory)), status_(std::move(status)) {}

Result<std::unique_ptr<ControlServer>> ControlServer::start(Database& database, std::string directory,
                                                            std::function<Map()> status) {
  auto listener = listen_control(directory);
  if (!listener) return fail(listener.error());
  Fd stop(::eventfd(0, EFD_CLOEXEC));
  if (!stop) return fail(ErrorCode::Io, fmt::format("cannot make an event: {}", std::strerror(errno)));
  std::unique_ptr<ControlServer> server(new ControlServer(database, std::move(directory), std::move(status)));
  server->listener_ = std::move(*listener);
  server->stop_ = std::move(stop);
  server->acceptor_ = std::thread([self = server.get()] { self->accept_loop(); });
  return server;
}

ControlServer::~ControlServer() {
  if (!acceptor_.joinable()) return;
  ::eventfd_write(stop_.fd(), 1);
  acceptor_.join();
  // Before the listener closes: who connects from now on finds no socket, and opens the database instead.
  remove_control(directory_);
  for (Connection& connection : connections_) connection.socket.shut_down();
  for (Connection& connection : connections_) connection.thread.join();
}

void ControlServer::accept_loop() {
  while (true) {
    pollfd entries[2] = {{listener_.fd(), POLLIN, 0}, {stop_.fd(), POLLIN, 0}};
    if (::poll(entries, 2, -1) < 0 && errno != EINTR) return;
    if (entries[1].revents != 0) return;
    if (entries[0].revents != 0) accept_one();
    reap();
  }
}

void ControlServer::accept_one() {
  Fd fd(::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!fd) {
    // Out of descriptors: the caller waits in the queue, and we must not spin until one of ours is free.
    pollfd stop{stop_.fd(), POLLIN, 0};
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) ::poll(&stop, 1, 100);
    return;
  }
  if (connections_.size() >= kMaxConnections) {
    const Error error{ErrorCode::Busy, fmt::format("{} connections are open already", kMaxConnections)};
    LineSocket(std::move(fd), kMaxRequest).write_line(error_line(error)).map_error([](const Error&) {});
    return;
  }
  Connection& connection = connections_.emplace_back(std::move(fd));
  connection.thread = std::thread([this, &connection] {
    ControlSession(database_, status_, connection.socket).run();
    // The client must see the end now; the descriptor itself closes when the thread is reaped.
    connection.socket.shut_down();
    connection.done = true;
  });
}

void ControlServer::reap() {
  for (auto it = connections_.begin(); it != connections_.end();) {
    if (!it->done) {
      ++it;
      continue;
    }
    it->thread.join();
    it = connections_.erase(it);
  }
}

}  // namespace fermata::cli
