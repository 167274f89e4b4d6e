// The transport of production: TLS 1.3 over TCP on the Asio loop, with mutual authentication. See identity.hpp for who
// is let in.
#pragma once

#include <memory>

#include "base/loop.hpp"
#include "base/transport.hpp"
#include "net/identity.hpp"

namespace fermata::net {

struct TransportOptions {
  Duration handshake_timeout = std::chrono::seconds(10);
  Duration first_redial = std::chrono::milliseconds(250);
  Duration max_redial = std::chrono::seconds(30);
  std::size_t max_pending_handshakes = 64;
  std::size_t max_queued_bytes = 32u << 20;  // per link; beyond it the link is closed
};

[[nodiscard]] std::unique_ptr<Loop> make_asio_loop();
// `loop` must come from make_asio_loop().
void run(Loop& loop);   // serves until stop(); the calling thread is the loop thread
void stop(Loop& loop);  // thread-safe
[[nodiscard]] Result<std::unique_ptr<Transport>> make_tls_transport(Loop& loop, const Identity& identity,
                                                                    TransportOptions options = {});

}  // namespace fermata::net
