#include "phone_link.hpp"

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/time.h>
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
// The keeper's thread waits for nobody longer. A phone that does not read for so long is gone.
constexpr timeval kSendPatience{.tv_sec = 0, .tv_usec = 200'000};

int open_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0) {
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kSendPatience, sizeof kSendPatience);
  }
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

std::optional<std::uint32_t> parse_number(std::string_view word) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && end == word.data() + word.size() ? std::optional(number) : std::nullopt;
}

std::optional<std::chrono::milliseconds> parse_time_left(std::string_view word) {
  constexpr std::string_view kKey = "time_left_ms=";
  const auto ms = word.starts_with(kKey) ? parse_number(word.substr(kKey.size())) : std::nullopt;
  return ms ? std::optional(std::chrono::milliseconds(*ms)) : std::nullopt;
}

std::optional<bool> parse_switch(std::string_view word) {
  return word == "on" ? std::optional(true) : word == "off" ? std::optional(false) : std::nullopt;
}

// False for what it does not know.
bool apply_condition(Conditions& conditions, std::string_view name, std::string_view value) {
  if (name == "battery") {
    const auto percent = parse_number(value);
    if (value != "mains" && (!percent || *percent > 100)) {
      return false;
    }
    conditions.battery_percent = percent ? std::optional(static_cast<int>(*percent)) : std::nullopt;
    return true;
  }
  bool* const flag = name == "low_power"        ? &conditions.low_power
                     : name == "metered"        ? &conditions.metered
                     : name == "protected_data" ? &conditions.protected_data_available
                                                : nullptr;
  const auto state = parse_switch(value);
  if (flag == nullptr || !state) {
    return false;
  }
  *flag = *state;
  return true;
}

}  // namespace

std::unique_ptr<PhoneLink> PhoneLink::connect(const std::string& path, const PlatformEvents& events) {
  const int fd = open_socket(path);
  if (fd < 0) {
    const auto words = fmt::format("fermata: no phone at {}: {}; unset FERMATA_PHONE_SOCKET to run without one\n", path,
                                   std::strerror(errno));
    std::fputs(words.c_str(), stderr);
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
  const std::lock_guard lock(mutex_);
  send_line(fmt::format("ready {}", states_heard_));
}

bool PhoneLink::send_line(const std::string& line) {
  const std::string bytes = line + '\n';
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const auto count = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno != EINTR) {
      ::shutdown(socket_, SHUT_RDWR);  // half a line may be under way: nothing after it would make sense
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
  } else if (verb == "condition") {
    on_condition(first, second);
  }
}

void PhoneLink::on_state(const std::string& name, const std::string& time_left) {
  const std::lock_guard lock(mutex_);
  if (closing_) {
    return;
  }
  ++states_heard_;
  for (const AppState state : {AppState::Foreground, AppState::Inactive, AppState::Background, AppState::Terminating}) {
    if (name == name_of(state)) {
      events_.on_app_state(state, parse_time_left(time_left));
    }
  }
}

void PhoneLink::on_condition(const std::string& name, const std::string& value) {
  const std::lock_guard lock(mutex_);
  if (!closing_ && apply_condition(conditions_, name, value)) {
    events_.on_conditions(conditions_);
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
