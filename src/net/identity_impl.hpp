// What an Identity holds; for the transport.
#pragma once

#include "net/identity.hpp"
#include "net/openssl.hpp"

namespace fermata::net {

inline constexpr long kMaxTickets = 512;                        // a group is tens of devices; the oldest goes
inline constexpr long kTicketLife = 24 * 60 * 60;               // seconds
inline constexpr std::string_view kProtocolName = "fermata/1";  // ALPN; a later, incompatible framing takes another

enum class Role : std::uint8_t { Dialed, Accepted };

struct Identity::Impl {
  DeviceId device;
  // Both: TLS 1.3 only, our certificate, the group's authority as the only trusted one, the remote's certificate
  // required.
  //
  // Resumption (RFC 8446 §2.2, always with a fresh key exchange). The accepting side keeps what a ticket stands for in
  // memory, at most kMaxTickets for kTicketLife, and hands out names of 32 random bytes: there is no key that would
  // open a recorded ticket, and nothing survives the process. It is bound to this Identity, so to its group. The
  // dialing side stores nothing here: a connection's ticket goes to the TicketPtr that its SSL's app data points to, if
  // any. The two are apart so that a ticket of ours for another device cannot be played back to us.
  ContextPtr dialing, accepting;
};

}  // namespace fermata::net
