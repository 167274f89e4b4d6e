// One connection, from a connected socket to its last byte: handshake, frames, the flush at its end. Loop thread only.
#pragma once

#include <deque>
#include <memory>

#include "base/time.hpp"
#include "base/transport.hpp"
#include "net/address.hpp"
#include "net/asio_loop.hpp"
#include "net/framing.hpp"
#include "net/tls_session.hpp"
#include "net/tls_transport.hpp"

namespace fermata::net {

// How a link ended, for those who count.
enum class Ending : std::uint8_t {
  Closed,   // by our own call, whose reason is passed on
  Broken,   // by the remote or the network; the reason is the end of a sentence about the remote
  Refused,  // one side did not accept the other, reason likewise; the link never opened
  Offence,  // by the remote, which nobody else can have been: its frames break the rules; reason likewise
};

class Link final : public std::enable_shared_from_this<Link> {
 public:
  // Calls come from loop turns of the link's own, never from inside a call to it. The link may be destroyed in them.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void link_opened(Link& link) = 0;
    virtual void link_frame(Link& link, Bytes frame) = 0;
    virtual void link_gone(Link& link, const Error& why, Ending ending) = 0;  // once, the last call
    virtual void link_ticket(Link& link, TicketPtr ticket) = 0;               // for the next dial to that device
    virtual TransportStats& counters() = 0;
  };
  struct Setup {
    LinkId id = 0;
    Fd socket;
    Endpoint remote;
    Role role = Role::Accepted;
    TicketPtr ticket = nullptr;
  };

  Link(Owner& owner, AsioLoop& loop, const Identity& identity, const TransportOptions& options, Setup setup);

  // Begins the handshake. Once.
  void start();
  void send(Bytes frame);
  // Sends what is queued, says goodbye, waits for the remote to have read it, at most `within` altogether; then it is
  // gone. A link that is not open goes at once.
  void close(const Error& why, Duration within);
  // Goes in the next turn, with nothing more sent.
  void abort(const Error& why, Ending ending);
  // Nothing is reported any more and the socket is closed; the owner goes away.
  void detach();

  [[nodiscard]] LinkId id() const { return info_.link; }
  [[nodiscard]] const LinkInfo& info() const { return info_; }
  [[nodiscard]] std::string remote_host() const { return host_text(remote_); }
  [[nodiscard]] std::size_t queued_bytes() const { return queued_bytes_; }
  [[nodiscard]] Instant opened_at() const { return opened_at_; }
  [[nodiscard]] bool was_open() const { return was_open_; }
  // The remote, too, has accepted us. A dialer's link is open before that: its first frames go with the last flight of
  // its handshake.
  [[nodiscard]] bool was_confirmed() const { return confirmed_; }
  // It leads to `device` and is open, or about to be: one side may see a link open, and act on that, before the other.
  [[nodiscard]] bool serves(const DeviceId& device) const {
    return (state_ == State::Handshaking || state_ == State::Open) && info_.remote == device;
  }

 private:
  enum class State : std::uint8_t {
    Handshaking,
    Open,
    Flushing,   // sends what is left, reads and drops
    Lingering,  // all is sent; waits for the remote to close, so that nothing of it is lost
    Gone
  };

  void wait_readable();
  [[nodiscard]] bool backed_up() const { return queued_bytes_ > options_.pause_reading_above; }
  void on_readable();
  void read_on();
  void receive(ByteView ciphertext);
  void read_plaintext();
  void take_frame();
  void established();
  void opened();
  void confirmed();
  void read_failed(const Error& error);
  void framing_failed(const Error& error);
  void end_of_stream();

  void enqueue(ByteView bytes);
  void schedule_flush();
  void flush();
  void refill();
  void flushed();
  void send_failed(int error);

  void refuse(const Error& why);
  void finish(const Error& why, Ending ending = Ending::Broken);

  Owner* owner_;
  AsioLoop& loop_;
  TransportOptions options_;
  Endpoint remote_;
  LinkInfo info_;
  State state_ = State::Handshaking;
  Ending ending_ = Ending::Closed;
  Error why_;  // of the closing that is under way
  bool was_open_ = false;
  bool confirmed_ = false;
  bool flush_scheduled_ = false;
  bool reading_paused_ = false;
  Instant opened_at_{};
  bool heard_ = false;  // anything at all

  TlsSession tls_;
  Bytes plaintext_;
  ByteView unread_;        // the end of it
  std::size_t taken_ = 0;  // bytes of the frames of this turn
  FrameReader frames_;
  std::deque<Bytes> queue_;  // frames and their headers; the front one may be sent in part
  std::size_t front_sent_ = 0;
  std::size_t queued_bytes_ = 0;
  Bytes out_;  // ciphertext on its way
  std::size_t out_sent_ = 0;
  bool said_goodbye_ = false;

  Timer deadline_;
  std::unique_ptr<FdWatch> watch_;
};

}  // namespace fermata::net
