// Accepts connections on one address and keeps doing so when the system takes the socket away. Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/asio_loop.hpp"
#include "net/backoff.hpp"
#include "net/socket.hpp"
#include "net/tls_transport.hpp"

namespace fermata::net {

class Listener final : public std::enable_shared_from_this<Listener> {
 public:
  struct Events {
    std::function<void(Fd, const Endpoint& remote)> on_accept;
    std::function<void(const Error&)> on_trouble;  // it is being reopened
  };

  Listener(AsioLoop& loop, const TransportOptions& options, Events events);

  // Errors: as Transport::listen. Afterwards bound() is the address with its real port.
  [[nodiscard]] Status open(const std::string& address);
  [[nodiscard]] const std::string& bound() const { return bound_text_; }
  void close();
  // Opens again on the same port, at once; keeps trying with pauses if that fails.
  void reopen();

 private:
  void adopt(Fd socket);
  void wait();
  void on_readable();
  void accept_failed(int error);
  void reopen_later();

  AsioLoop& loop_;
  Events events_;
  Backoff backoff_;
  Timer retry_;
  Endpoint bound_;
  std::string bound_text_;
  Instant opened_at_{};
  std::unique_ptr<FdWatch> watch_;
};

}  // namespace fermata::net
