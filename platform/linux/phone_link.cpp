#include "phone_link.hpp"

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <sstream>
#include <string_view>

namespace fermata::linux_platform {
namespace {

constexpr std::size_t kLongestLine = 4096;

int open_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    const int why = errno;
    ::close(fd);
    errno = why;
    return -1;
  }
  return fd;
}

std::string program_name() {
  std::string name = program_invocation_short_name;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == ' ' || c == '\n'; }, '_');
  return name;
}

std::optional<std::chrono::milliseconds> parse_time_left(std::string_view word) {
  constexpr std::string_view kKey = "time_left_ms=";
  std::uint32_t ms = 0;
  if (!word.starts_with(kKey)) {
    return std::nullopt;
  }
  const auto [end, error] = std::from_chars(word.data() + kKey.size(), word.data() + word.size(), ms);
  if (error != std::errc() || end != word.data() + word.size()) {
    return std::nullopt;
  }
  return std::chrono::milliseconds(ms);
}

}  // namespace

std::unique_ptr<PhoneLink> PhoneLink::connect(const std::string& path, const PlatformEvents& events) {
  const int fd = open_socket(path);
  if (fd < 0) {
    fmt::print(stderr, "fermata: no phone at {}: {}; unset FERMATA_PHONE_SOCKET to run without one\n", path,
               std::strerror(errno));
    return nullptr;
  }
  return std::unique_ptr<PhoneLink>(new PhoneLink(fd, events));
}

PhoneLink::PhoneLink(int socket, PlatformEvents events) : socket_(socket), events_(std::move(events)) {
  send_line("hello 1 " + program_name());
  reader_ = std::thread([this] { read_lines(); });
}

PhoneLink::~PhoneLink() {
  end_task();
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  ::shutdown(socket_, SHUT_RDWR);
  reader_.join();
  ::close(socket_);
}

void PhoneLink::begin_task() {
  const std::lock_guard lock(mutex_);
  if (!task_.empty()) {
    return;
  }
  task_ = fmt::format("fermata-{}", ++tasks_begun_);
  if (!send_line("task begin " + task_)) {
    task_.clear();
    events_.on_strategy(Strategy::TaskAssertion, StrategyEvent::Refused, std::nullopt);
  }
}

void PhoneLink::end_task() {
  const std::lock_guard lock(mutex_);
  if (!task_.empty()) {
    send_line("task end " + task_);
    task_.clear();
  }
}

void PhoneLink::ready() {
  send_line("ready");
}

bool PhoneLink::send_line(const std::string& line) {
  const std::string bytes = line + '\n';
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const auto count = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno != EINTR) {
      return false;
    }
    sent += count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  return true;
}

void PhoneLink::read_lines() {
  std::string pending;
  std::array<char, 1024> chunk{};
  for (;;) {
    const auto count = ::recv(socket_, chunk.data(), chunk.size(), 0);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0 || pending.size() > kLongestLine) {
      on_hangup();
      return;
    }
    pending.append(chunk.data(), static_cast<std::size_t>(count));
    for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
      on_line(pending.substr(0, end));
      pending.erase(0, end + 1);
    }
  }
}

void PhoneLink::on_line(const std::string& line) {
  std::istringstream words(line);
  std::string verb, first, second, third;
  words >> verb >> first >> second >> third;
  if (verb == "state") {
    on_state(first, second);
  } else if (verb == "task") {
    on_task(first, second, third);
  }
}

void PhoneLink::on_state(const std::string& state, const std::string& time_left) {
  const std::lock_guard lock(mutex_);
  if (closing_) {
    return;
  }
  if (state == name_of(AppState::Foreground)) {
    events_.on_app_state(AppState::Foreground, std::nullopt);
  } else if (state == name_of(AppState::Background)) {
    events_.on_app_state(AppState::Background, parse_time_left(time_left));
  }
}

void PhoneLink::on_task(const std::string& verdict, const std::string& name, const std::string& time_left) {
  const std::lock_guard lock(mutex_);
  if (name.empty() || name != task_) {
    return;  // an answer that crossed our end
  }
  if (verdict == "granted") {
    events_.on_strategy(Strategy::TaskAssertion, StrategyEvent::Held, parse_time_left(time_left));
  } else if (verdict == "refused") {
    task_.clear();
    events_.on_strategy(Strategy::TaskAssertion, StrategyEvent::Refused, std::nullopt);
  } else if (verdict == "expiring") {
    events_.on_strategy(Strategy::TaskAssertion, StrategyEvent::Expired, parse_time_left(time_left));
  }
}

// Without its phone the program is an ordinary one: always in the foreground.
void PhoneLink::on_hangup() {
  const std::lock_guard lock(mutex_);
  if (closing_) {
    return;
  }
  if (!task_.empty()) {
    task_.clear();
    events_.on_strategy(Strategy::TaskAssertion, StrategyEvent::Lost, std::nullopt);
  }
  events_.on_app_state(AppState::Foreground, std::nullopt);
}

}  // namespace fermata::linux_platform
