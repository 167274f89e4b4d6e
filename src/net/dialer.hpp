// Keeps one address dialed: looks it up, connects, and after each end tries again with a growing pause. Loop thread
// only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/address.hpp"
#include "net/asio_loop.hpp"
#include "net/backoff.hpp"
#include "net/tls_transport.hpp"

namespace fermata::net {

class Dialer final : public std::enable_shared_from_this<Dialer> {
 public:
  struct Events {
    std::function<void(Dialer&, Fd, const Endpoint& remote)> on_connected;  // then ended() is awaited
    std::function<void(const Error&)> on_failure;
  };

  Dialer(AsioLoop& loop, const TransportOptions& options, std::string address, HostPort target, Events events);

  [[nodiscard]] const std::string& address() const { return address_; }
  // Dials at once unless an attempt or a link is under way.
  void start();
  // Gives up attempts and forgets its link.
  void stop();
  // The link made of the last connection is gone after having been open for `open_for` (0: never open).
  void ended(Duration open_for);

 private:
  enum class State : std::uint8_t { Stopped, Resolving, Connecting, Linked, Pausing };

  void resolved(Result<std::vector<Endpoint>> endpoints);
  void try_next();
  void attempt_failed(int error);
  void connected();
  void pause();

  AsioLoop& loop_;
  Duration attempt_timeout_;
  std::string address_;
  HostPort target_;
  Events events_;
  Backoff backoff_;
  Timer timer_;
  State state_ = State::Stopped;
  std::uint64_t round_ = 0;  // tells a lookup's answer that it is too late
  std::vector<Endpoint> endpoints_;
  std::size_t next_endpoint_ = 0;
  std::unique_ptr<FdWatch> watch_;
};

}  // namespace fermata::net
