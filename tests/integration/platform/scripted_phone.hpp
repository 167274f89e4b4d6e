// A phone simulator that says only what the test tells it to. FERMATA_PHONE_SOCKET of this process names it.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "integration/platform/child.hpp"

namespace fermata {

// Listens, takes one program and speaks as told.
class ScriptedPhone {
 public:
  ScriptedPhone() : path_(directory_.path() + "/phone") {
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
    ::setenv("FERMATA_PHONE_SOCKET", path_.c_str(), 1);
  }
  ~ScriptedPhone() {
    ::unsetenv("FERMATA_PHONE_SOCKET");
    hang_up();
    ::close(listener_);
  }
  ScriptedPhone(const ScriptedPhone&) = delete;
  ScriptedPhone& operator=(const ScriptedPhone&) = delete;

  [[nodiscard]] const std::string& folder() const { return directory_.path(); }
  void accept() { program_ = ::accept(listener_, nullptr, nullptr); }
  void say(const std::string& text) {
    EXPECT_EQ(::send(program_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  // The next line of the program; "" if it hung up or said nothing for long.
  std::string hear() {
    while (pending_.find('\n') == std::string::npos) {
      pollfd polled{program_, POLLIN, 0};
      char chunk[256];
      if (::poll(&polled, 1, 20000) <= 0) {
        return {};
      }
      const auto count = ::recv(program_, chunk, sizeof chunk, 0);
      if (count <= 0) {
        return {};
      }
      pending_.append(chunk, static_cast<std::size_t>(count));
    }
    const auto end = pending_.find('\n');
    std::string line = pending_.substr(0, end);
    pending_.erase(0, end + 1);
    return line;
  }
  void hang_up() {
    if (program_ >= 0) {
      ::close(std::exchange(program_, -1));
    }
  }

 private:
  ScratchDirectory directory_;
  std::string path_;
  std::string pending_;
  int listener_ = -1;
  int program_ = -1;
};

}  // namespace fermata
