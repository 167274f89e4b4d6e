// The other end of a program's TCP connections.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "phone/loop.hpp"

namespace fermata::phone {

inline sockaddr_in on_loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

struct Listener {
  Listener() {
    fd = Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = on_loopback(0);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(fd.value(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(fd.value(), 4), 0);
    EXPECT_EQ(getsockname(fd.value(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port = ntohs(address.sin_port);
  }
  Fd fd;
  int port = 0;
};

inline bool connects_to(int port) {
  const Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = on_loopback(port);
  return connect(fd.value(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace fermata::phone
