// Addresses as people write them, and as sockets take them.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace fermata::net {

struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;

  friend bool operator==(const HostPort&, const HostPort&) = default;
};

// "192.0.2.7:7411", "desk.local:7411", "[2001:db8::7]:7411". Error: InvalidArgument.
[[nodiscard]] Result<HostPort> parse_address(std::string_view text);

struct Endpoint {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  [[nodiscard]] sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// "192.0.2.7" or "2001:db8::7"; an IPv4 address in IPv6 clothes is shown as IPv4.
[[nodiscard]] std::string host_text(const Endpoint& endpoint);
// "192.0.2.7:7411" or "[2001:db8::7]:7411".
[[nodiscard]] std::string to_text(const Endpoint& endpoint);

enum class Names : std::uint8_t { NumericOnly, AskTheSystem };
// Never empty. Asking the system may block for seconds. Errors: NotFound; with NumericOnly any name is NotFound.
[[nodiscard]] Result<std::vector<Endpoint>> lookup(const HostPort& address, Names names);

// The same with the host's first address in place of its name. May block. Errors: InvalidArgument, saying that one
// cannot listen there.
[[nodiscard]] Result<std::string> numeric_to_listen_on(const std::string& address);

}  // namespace fermata::net
