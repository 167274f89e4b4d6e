// TCP sockets: non-blocking, close-on-exec, TCP_NODELAY. Errors are errno values where the caller decides by them.
#pragma once

#include "net/address.hpp"
#include "net/asio_loop.hpp"

namespace fermata::net {

[[nodiscard]] std::string errno_text(int error);

// Binds and listens. `address` is for messages. Errors: Busy, InvalidArgument (not ours), Io.
[[nodiscard]] Result<Fd> open_listener(const Endpoint& endpoint, const std::string& address);
[[nodiscard]] Endpoint local_endpoint(int fd);

// An invalid Fd leaves the cause in `error`.
[[nodiscard]] Fd accept_one(int listener, Endpoint& remote, int& error);
[[nodiscard]] Fd start_connect(const Endpoint& endpoint, int& error);
// The outcome of a connect that has become writable; 0 is success.
[[nodiscard]] int connect_error(int fd);

}  // namespace fermata::net
