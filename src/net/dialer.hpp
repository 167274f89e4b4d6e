// Keeps one address dialed: looks it up, connects, and after each end tries again with a growing pause; or rests while
// the device behind the address is linked otherwise. Of a name with several addresses the first that answers is taken:
// each gets a head start of 250 ms over the next, families in turn (RFC 8305). Loop thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/transport.hpp"
#include "net/address.hpp"
#include "net/asio_loop.hpp"
#include "net/backoff.hpp"
#include "net/resolver.hpp"
#include "net/tls_transport.hpp"

namespace fermata::net {

class Dialer final : public std::enable_shared_from_this<Dialer> {
 public:
  struct Events {
    std::function<void(Dialer&, Fd, const Endpoint& remote)> on_connected;  // then ended() is awaited
    std::function<void(const Error&)> on_failure;
  };

  Dialer(AsioLoop& loop, const TransportOptions& options, std::string address, HostPort target, Events events,
         Resolver resolver = resolve);

  [[nodiscard]] const std::string& address() const { return address_; }
  // Who was there when it was last reached; empty: nobody yet.
  [[nodiscard]] const DeviceId& device() const { return device_; }
  void met(DeviceId device) { device_ = std::move(device); }
  // Dials at once unless an attempt or a link is under way; ends a rest.
  void start();
  // Gives up attempts and forgets its link.
  void stop();
  // The link made of the last connection is gone after having been open for `open_for` (0: never open).
  void ended(Duration open_for);
  // The same where another link to that device is there: rests, with no timer, until released.
  void ended_as_duplicate(Duration open_for, DeviceId device);
  // The same where the address turned out to be our own: it will hardly change soon.
  void ended_at_ourselves();
  // No link to `device` is left: whoever rests because of it dials, at once unless that was so a moment ago.
  void release(const DeviceId& device);

 private:
  enum class State : std::uint8_t { Stopped, Resolving, Connecting, Linked, Pausing, Resting };

  void resolved(Result<std::vector<Endpoint>> endpoints);
  // Starts on the next endpoint, and sees to it that the one after it follows soon.
  void try_next();
  void attempt_failed(std::size_t endpoint, int error);
  void attempts_timed_out();
  void give_up(int error);
  void connected(std::size_t endpoint);
  void pause(Duration span);

  AsioLoop& loop_;
  Duration attempt_timeout_;
  std::string address_;
  HostPort target_;
  Events events_;
  Resolver resolver_;
  Backoff backoff_;
  Timer timer_;
  State state_ = State::Stopped;
  DeviceId device_;
  DeviceId resting_for_;
  std::optional<Instant> released_at_;
  std::uint64_t round_ = 0;  // tells a lookup's answer that it is too late
  std::vector<Endpoint> endpoints_;
  std::size_t next_endpoint_ = 0;
  std::map<std::size_t, std::unique_ptr<FdWatch>> attempts_;  // by endpoint
  Timer head_start_;
};

}  // namespace fermata::net
