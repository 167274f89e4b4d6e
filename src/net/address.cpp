#include "net/address.hpp"

#include <arpa/inet.h>
#include <netdb.h>

#include <charconv>
#include <cstring>
#include <memory>

namespace fermata::net {
namespace {

constexpr std::size_t kMaxEndpoints = 8;

tl::unexpected<Error> bad_address(std::string_view text, const char* why) {
  return fail(ErrorCode::InvalidArgument, "\"" + std::string(text) + "\" is no address: " + why +
                                              "; write host:port, for example 192.0.2.7:7411 or [2001:db8::7]:7411");
}

struct AddressListFreer {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

}  // namespace

Result<HostPort> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad_address(text, "the port is missing");
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return bad_address(text, "an IPv6 address goes in brackets");
  }
  if (host.empty()) return bad_address(text, "the host is missing");
  if (host.find_first_of("[] \t\r\n\0") != std::string_view::npos || host.find('\0') != std::string_view::npos) {
    return bad_address(text, "the host has characters that no host has");
  }
  HostPort address{std::string(host), 0};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return bad_address(text, "the port is no number from 0 to 65535");
  }
  return address;
}

std::string host_text(const Endpoint& endpoint) {
  char text[INET6_ADDRSTRLEN] = "";
  if (endpoint.storage.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&endpoint.storage);
    inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
  } else if (endpoint.storage.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&endpoint.storage);
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
      inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, text, sizeof text);
    } else {
      inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
    }
  }
  return text;
}

std::string to_text(const Endpoint& endpoint) {
  const std::uint16_t port = endpoint.storage.ss_family == AF_INET6
                                 ? reinterpret_cast<const sockaddr_in6*>(&endpoint.storage)->sin6_port
                                 : reinterpret_cast<const sockaddr_in*>(&endpoint.storage)->sin_port;
  const std::string host = host_text(endpoint);
  const bool bracketed = host.find(':') != std::string::npos;
  return (bracketed ? "[" + host + "]" : host) + ":" + std::to_string(ntohs(port));
}

Result<std::vector<Endpoint>> lookup(const HostPort& address, Names names) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (names == Names::NumericOnly ? AI_NUMERICHOST : 0);
  addrinfo* raw = nullptr;
  const int error = getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &raw);
  const std::unique_ptr<addrinfo, AddressListFreer> list(raw);
  std::vector<Endpoint> found;
  for (const addrinfo* at = raw; error == 0 && at != nullptr && found.size() < kMaxEndpoints; at = at->ai_next) {
    if (at->ai_family != AF_INET && at->ai_family != AF_INET6) continue;
    Endpoint endpoint;
    std::memcpy(&endpoint.storage, at->ai_addr, at->ai_addrlen);
    endpoint.size = at->ai_addrlen;
    found.push_back(endpoint);
  }
  if (!found.empty()) return found;
  return fail(ErrorCode::NotFound, "cannot find the address of host \"" + address.host +
                                       "\": " + (error == 0 ? "it has no IP address" : gai_strerror(error)) +
                                       "; check the name and the network");
}

Result<std::string> numeric_to_listen_on(const std::string& address) {
  const auto parsed = parse_address(address);
  if (!parsed) return fail(parsed.error());
  const auto endpoints = lookup(*parsed, Names::AskTheSystem);
  if (endpoints) return to_text(endpoints->front());
  return fail(ErrorCode::InvalidArgument, "cannot listen on " + address + ": " + endpoints.error().message);
}

}  // namespace fermata::net
