// The file locks that a program holds: what iOS kills a suspended app for (0xdead10cc).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace fermata::phone {

struct HeldLock {
  pid_t pid;
  std::string kind;  // POSIX, FLOCK, OFDLCK, as in /proc/locks
  std::string mode;  // READ, WRITE
  std::string path;
};

// Every POSIX, flock and open-file-description lock of these processes, each once. Exact while they are frozen.
[[nodiscard]] std::vector<HeldLock> locks_of(const std::vector<pid_t>& pids);

}  // namespace fermata::phone
