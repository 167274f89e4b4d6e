// The seam between peers: authenticated, ordered, framed links. TLS over TCP in net/, a lossy in-memory network in the
// simulator. Loop thread only. Callbacks are never made from inside a call to the transport, always from a later loop
// turn.
#pragma once

#include <functional>
#include <string>

#include "base/bytes.hpp"
#include "base/time.hpp"

namespace fermata {

using LinkId = std::uint64_t;  // unique for the life of a transport; 0 is none

// The remote's identity as the transport authenticated it: hex of the SHA-256 of its public key.
using DeviceId = std::string;

struct LinkInfo {
  LinkId link = 0;
  DeviceId remote;
  std::string address;  // host:port as seen on this side, for people
  bool dialed_by_us = false;
};

struct TransportEvents {
  std::function<void(const LinkInfo&)> on_open;       // authenticated, ready for frames
  std::function<void(LinkId, Bytes frame)> on_frame;  // one whole frame
  // The last event of a link, whoever closed it. Protocol, unless it is from a close() of ours: the remote broke the
  // framing, and nobody else can have done that.
  std::function<void(LinkId, const Error& why)> on_close;
};

// Counters since construction; read for `status`.
struct TransportStats {
  std::uint64_t bytes_sent = 0, bytes_received = 0;
  std::uint64_t refused_links = 0;  // wrong secret, no or expired certificate, not TLS at all
  std::size_t open_links = 0;
  std::size_t queued_bytes = 0;  // for remotes that have not taken them yet, now
  // Links that both sides accepted: with certificates shown and signed, or resumed from an earlier link.
  std::uint64_t full_handshakes = 0, resumed_handshakes = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;

  virtual void set_events(TransportEvents events) = 0;
  // Accepts links on "host:port", the host as a number, port 0 for any free one. Result: the bound "host:port". Errors:
  // Busy, InvalidArgument, Io.
  [[nodiscard]] virtual Result<std::string> listen(const std::string& address) = 0;
  // Keeps a link to "host:port" for ever: dials, and redials with a growing, jittered pause. When its link ends while
  // another one to the same device is open, it rests until none is left and then redials at once.
  virtual void keep_dialing(const std::string& address) = 0;
  // Queues one frame of at most kMaxFrame bytes. A link that is gone swallows it.
  virtual void send(LinkId link, Bytes frame) = 0;
  // Flushes what is queued, then closes; on_close follows. Harmless on a link that is gone.
  virtual void close(LinkId link, const Error& why) = 0;
  // Closes listeners and stops dialing; open links go on. Until resume().
  virtual void stop_accepting() = 0;
  // Closes listeners and links and stops dialing; calls `done` once nothing is left open, at the latest after `within`.
  virtual void suspend(Duration within, std::function<void()> done) = 0;
  // Re-opens listeners on the addresses they had and redials everything at once.
  virtual void resume() = 0;
  [[nodiscard]] virtual TransportStats stats() const = 0;
};

inline constexpr std::size_t kMaxFrame = 17u << 20;  // one document of 16 MiB and its wrapping

}  // namespace fermata
