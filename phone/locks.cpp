#include "phone/locks.hpp"

#include <fmt/format.h>

#include <set>
#include <string_view>

#include "phone/proc.hpp"

namespace fermata::phone {

// /proc/PID/fdinfo carries the lines of /proc/locks that belong to a descriptor. Unlike /proc/locks it also tells whose
// an open-file-description lock is (its pid there is -1), finds a flock that was taken before a fork, and gives the
// path.
std::vector<HeldLock> locks_of(const std::vector<pid_t>& pids) {
  std::vector<HeldLock> locks;
  std::set<std::string> seen;
  for (const pid_t pid : pids) {
    for (const OpenFile& file : open_files(pid)) {
      const std::string info = read_text(fmt::format("/proc/{}/fdinfo/{}", pid, file.fd));
      for (const std::string_view line : split(info, '\n')) {
        constexpr std::string_view kLabel = "lock:\t";
        if (!line.starts_with(kLabel)) continue;
        // "1: POSIX  ADVISORY  WRITE 4711 fe:01:1234 0 EOF"
        const auto words = split(line.substr(kLabel.size()), ' ');
        if (words.size() < 8 || words[1] == "LEASE" || words[1] == "DELEG") continue;
        // The number in front differs from descriptor to descriptor; the rest names the lock.
        if (!seen.insert(std::string(line.substr(line.find(words[1])))).second) continue;
        locks.push_back({pid, std::string(words[1]), std::string(words[3]), file.target});
      }
    }
  }
  return locks;
}

}  // namespace fermata::phone
