// What this process and the sound server have used so far.
#pragma once

#include <sys/types.h>

#include <fermata/platform.hpp>
#include <optional>
#include <string>

namespace fermata::linux_platform {

// Read from /proc: only what the threads have used that still live. Nothing when there is no such process, or it may
// not be looked at.
[[nodiscard]] std::optional<CostSample> cost_of(pid_t pid);

// With the threads that have ended.
[[nodiscard]] std::optional<CostSample> cost_of_this_process();

// The process behind the socket in PULSE_SERVER (unix:PATH), else in $XDG_RUNTIME_DIR/pulse/native. Nothing when that
// is no sound server: systemd listens for one that it starts on demand. Connects, which wakes the server once.
[[nodiscard]] std::optional<pid_t> sound_server_pid();

// One thread.
class CostReader {
 public:
  [[nodiscard]] std::optional<CostReading> read();

 private:
  std::optional<CostSample> read_sound_server();

  // Asking who listens wakes the server, so it is done once for each address and server.
  std::string asked_;
  std::optional<pid_t> server_;
};

}  // namespace fermata::linux_platform
