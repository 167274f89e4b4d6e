#include "phone/line_server.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace fermata::phone {
namespace {

constexpr std::size_t kLongestLine = 4096;
constexpr std::chrono::milliseconds kAcceptRetry{100};
constexpr std::string_view kState = "state ";

}  // namespace

Result<std::unique_ptr<LineServer>> LineServer::listen(Loop& loop, const std::string& path, Callbacks callbacks) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(ErrorCode::InvalidArgument, fmt::format("{} is too long for a socket; choose a shorter TMPDIR", path));
  std::memcpy(address.sun_path, path.c_str(), path.size());
  Fd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (bind(listener.value(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener.value(), 16) != 0)
    return fail(ErrorCode::Io, fmt::format("cannot listen on {}: {}", path, std::strerror(errno)));
  return std::unique_ptr<LineServer>(new LineServer(loop, std::move(listener), std::move(callbacks)));
}

LineServer::LineServer(Loop& loop, Fd listener, Callbacks callbacks)
    : loop_(loop), listener_(std::move(listener)), callbacks_(std::move(callbacks)) {
  retry_ = loop_.timer([this] { admit_clients(); });
  admit_clients();
}

void LineServer::admit_clients() {
  watch_ = loop_.watch(listener_.value(), [this] { accept_one(); });
}

void LineServer::send(ClientId client, std::string_view line) {
  const std::string text = fmt::format("{}\n", line);
  std::vector<ClientId> full;
  for (auto& [id, peer] : clients_) {
    if (client != 0 && id != client) continue;
    if (line.starts_with(kState)) {
      ++peer.states;
      if (client == 0) peer.earliest_valid = peer.states;
    }
    const ssize_t sent = ::send(peer.fd.value(), text.data(), text.size(), MSG_NOSIGNAL);
    const bool hung_up = sent < 0 && (errno == EPIPE || errno == ECONNRESET);
    if (sent != static_cast<ssize_t>(text.size()) && !hung_up) full.push_back(id);
  }
  for (const ClientId id : full) drop(id);
}

bool LineServer::knows_state(ClientId client, std::uint64_t count) const {
  const auto found = clients_.find(client);
  return found != clients_.end() && count >= found->second.earliest_valid && count <= found->second.states;
}

void LineServer::hang_up() {
  clients_.clear();
  while (Fd(accept4(listener_.value(), nullptr, nullptr, SOCK_CLOEXEC)).is_open()) {
  }
}

void LineServer::accept_one() {
  Fd fd(accept4(listener_.value(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd.is_open()) {
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return;
    // Whoever waits keeps the listener readable: to look again at once would be to spin.
    watch_.reset();
    return retry_->arm(Loop::now() + kAcceptRetry);
  }
  if (clients_.size() >= kMostClients) return;
  const ClientId id = ++last_id_;
  auto watch = loop_.watch(fd.value(), [this, id] { read_from(id); });
  clients_.emplace(id, Client{.fd = std::move(fd), .received = {}, .watch = std::move(watch)});
}

void LineServer::read_from(ClientId id) {
  const auto client = clients_.find(id);
  if (client == clients_.end()) return;
  char buffer[4096];
  const ssize_t size = read(client->second.fd.value(), buffer, sizeof buffer);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return drop(id);
  std::string received = std::move(client->second.received);
  received.append(buffer, static_cast<std::size_t>(size));
  std::size_t begin = 0;
  for (std::size_t end; (end = received.find('\n', begin)) != std::string::npos; begin = end + 1) {
    callbacks_.on_line(id, std::string_view(received).substr(begin, end - begin));
    if (!clients_.contains(id)) return;  // dropped meanwhile: nobody says the rest any more
  }
  received.erase(0, begin);
  if (received.size() > kLongestLine) return drop(id);
  clients_.at(id).received = std::move(received);
}

void LineServer::drop(ClientId id) {
  if (clients_.erase(id) > 0) callbacks_.on_gone(id);
}

}  // namespace fermata::phone
