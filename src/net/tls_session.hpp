// One TLS connection without a socket: ciphertext in, ciphertext out. Loop thread only.
#pragma once

#include <optional>

#include "base/time.hpp"
#include "base/transport.hpp"
#include "net/identity_impl.hpp"

namespace fermata::net {

class TlsSession {
 public:
  struct Setup {
    Role role = Role::Accepted;
    TicketPtr ticket = nullptr;         // a dialer's, of an earlier connection to the same device; may be refused
    std::time_t now = plausible_now();  // by which certificates are judged
  };
  TlsSession(const Identity& identity, Setup setup);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // Takes bytes from the network and advances the handshake. Error: Unauthorized or Protocol, with the reason as the
  // end of a sentence about the remote ("its certificate has expired"); an alert may then wait in take_output().
  [[nodiscard]] Status receive(ByteView ciphertext);
  // Both sides are verified as far as we can see. A dialer may still learn from its first read that it is refused.
  [[nodiscard]] bool established() const { return remote_.has_value(); }
  // Of a resumed session: the device to which the ticket was given, whose certificate is looked at again.
  [[nodiscard]] const DeviceId& remote() const { return *remote_; }
  [[nodiscard]] bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  // A dialer's ticket for the next connection; comes some time after the handshake, or never. For one use.
  [[nodiscard]] TicketPtr take_ticket() { return std::move(ticket_); }

  // Decrypts into `out` (appending at most one record). Result: whether there was something. Error: Closed when the
  // remote said goodbye, otherwise as receive().
  [[nodiscard]] Result<bool> read(Bytes& out);
  // Encrypts; only once established. Error: Io.
  [[nodiscard]] Status write(ByteView plaintext);
  // Queues our goodbye.
  void say_goodbye();
  // Appends to `out` what is to be sent.
  void take_output(Bytes& out);

 private:
  [[nodiscard]] Status advance_handshake();
  [[nodiscard]] Status authenticate();
  [[nodiscard]] Error explain() const;

  Identity identity_;  // keeps the context alive
  SslPtr ssl_;         // owns both BIOs
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
  std::time_t now_;
  TicketPtr ticket_;
  std::optional<DeviceId> remote_;
};

}  // namespace fermata::net
