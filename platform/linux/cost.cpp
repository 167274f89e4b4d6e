#include "cost.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

namespace fermata::linux_platform {
namespace {

std::optional<std::uint64_t> voluntary_switches(pid_t pid) {
  std::error_code error;
  const std::filesystem::directory_iterator tasks(fmt::format("/proc/{}/task", pid), error);
  if (error) {
    return std::nullopt;
  }
  std::uint64_t sum = 0;
  for (const auto& task : tasks) {
    std::ifstream status(task.path() / "status");
    constexpr std::string_view kKey = "voluntary_ctxt_switches:";
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with(kKey)) {
        sum += std::strtoull(line.c_str() + kKey.size(), nullptr, 10);
      }
    }
  }
  return sum;
}

// utime and stime: the 14th and 15th word; the second is a name in parentheses that may contain anything.
std::optional<std::chrono::nanoseconds> cpu_time(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(file, text);
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) {
    return std::nullopt;
  }
  std::istringstream words(text.substr(name_end + 1));
  std::string skipped;
  for (int i = 3; i < 14; ++i) {
    words >> skipped;
  }
  std::int64_t user = 0, system = 0;
  if (!(words >> user >> system)) {
    return std::nullopt;
  }
  return std::chrono::nanoseconds((user + system) * (1'000'000'000 / ::sysconf(_SC_CLK_TCK)));
}

std::chrono::nanoseconds duration_of(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

std::string sound_socket() {
  if (const char* server = std::getenv("PULSE_SERVER"); server != nullptr && *server != '\0') {
    const std::string_view address = server;
    constexpr std::string_view kUnix = "unix:";
    return address.starts_with(kUnix) ? std::string(address.substr(kUnix.size())) : std::string();
  }
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  return runtime != nullptr ? std::string(runtime) + "/pulse/native" : std::string();
}

std::optional<pid_t> listener_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return std::nullopt;
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    return std::nullopt;
  }
  ucred peer{};
  socklen_t size = sizeof peer;
  const bool known = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                     ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid > 0;
  ::close(fd);
  return known ? std::optional(peer.pid) : std::nullopt;
}

bool is_sound_server(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/comm", pid));
  std::string name;
  std::getline(file, name);
  return name.find("pulse") != std::string::npos || name.find("pipewire") != std::string::npos;
}

}  // namespace

std::optional<CostSample> cost_of(pid_t pid) {
  const auto wakeups = voluntary_switches(pid);
  const auto cpu = cpu_time(pid);
  if (!wakeups || !cpu) {
    return std::nullopt;
  }
  return CostSample{.wakeups = *wakeups, .cpu = *cpu};
}

// Not cost_of(getpid()): /proc knows only the threads that live, and those of the bus and of PulseAudio end with what
// they keep, before it is measured.
std::optional<CostSample> cost_of_this_process() {
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) != 0) {
    return std::nullopt;
  }
  return CostSample{.wakeups = static_cast<std::uint64_t>(used.ru_nvcsw),
                    .cpu = duration_of(used.ru_utime) + duration_of(used.ru_stime)};
}

std::optional<pid_t> sound_server_pid() {
  const auto pid = listener_of(sound_socket());
  return pid && is_sound_server(*pid) ? pid : std::nullopt;
}

std::optional<CostReading> CostReader::read() {
  const auto own = cost_of_this_process();
  if (!own) {
    return std::nullopt;
  }
  return CostReading{.process = *own, .sound_server = read_sound_server()};
}

std::optional<CostSample> CostReader::read_sound_server() {
  const std::string socket = sound_socket();
  if (!server_ || asked_ != socket || !is_sound_server(*server_)) {
    asked_ = socket;
    server_ = sound_server_pid();
  }
  return server_ ? cost_of(*server_) : std::nullopt;
}

}  // namespace fermata::linux_platform
