// What an Identity holds; for the transport.
#pragma once

#include "net/identity.hpp"
#include "net/openssl.hpp"

namespace fermata::net {

inline constexpr std::string_view kProtocolName = "fermata/1";  // ALPN; a later, incompatible framing takes another

struct Identity::Impl {
  DeviceId device;
  // For both directions: TLS 1.3 only, our certificate, the group's authority as the only trusted one, the remote's
  // certificate required. No session tickets: every connection authenticates afresh.
  ContextPtr context;
};

}  // namespace fermata::net
