// The transport of production: TLS 1.3 over TCP on the Asio loop, with mutual authentication. See identity.hpp for who
// is let in. A device that dials again resumes (identity_impl.hpp): no certificates, no signatures, a third of the
// bytes. The accepting side's link opens when the dialer has proven who it is; the dialer's one flight earlier, when
// the accepting side has, so that its first frames travel with the end of the handshake. If it is refused after that,
// the link closes again, unread. Byte counts are those of the wire, handshakes included. Of `refused_links` each side
// counts its own view: a dialer also counts that it was refused. Whoever uses the transport may close all but one of
// several links to a device: a dialer whose link ended while another link to that device is there rests, without a
// timer, until none is left or resume(). An address that leads to this very device is tried again only every
// max_redial.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/loop.hpp"
#include "base/transport.hpp"
#include "net/identity.hpp"

namespace fermata::net {

struct TransportOptions {
  Duration handshake_timeout = std::chrono::seconds(10);
  Duration first_redial = std::chrono::milliseconds(250);
  Duration max_redial = std::chrono::seconds(30);
  std::size_t max_pending_handshakes = 64;
  // In all, dialed ones included; beyond, nobody is accepted. And to one device, of which each new one ends the oldest.
  std::size_t max_links = 512;
  std::size_t max_links_to_device = 4;
  // Per link, of what the remote has not taken. Beyond the first nothing is read from it either, so that whoever asks
  // and does not listen waits; honest sessions stay below it (a window and one frame), or two could wait for each
  // other. Beyond the second the link is closed.
  std::size_t pause_reading_above = 20u << 20;
  std::size_t max_queued_bytes = 32u << 20;
  // Lines for people: each refused remote, each failing dial and each listener in trouble, once per (remote, reason).
  // Called on the loop thread. Empty: nothing is logged.
  std::function<void(const std::string& line)> log;
};

[[nodiscard]] std::unique_ptr<Loop> make_asio_loop();
// `loop` must come from make_asio_loop(). A stop() before run() ends that run() at once.
void run(Loop& loop);   // serves until stop(); the calling thread is the loop thread
void stop(Loop& loop);  // thread-safe
// The transport lives on the loop thread (or on any while the loop does not run) and goes before the loop. It may be
// destroyed at any time, even inside one of its callbacks; nothing is flushed and no callback follows.
[[nodiscard]] Result<std::unique_ptr<Transport>> make_tls_transport(Loop& loop, const Identity& identity,
                                                                    TransportOptions options = {});

}  // namespace fermata::net
