// Takes TCP sockets away from processes, as iOS does with those of a suspended app: the owner finds ECONNABORTED
// (EINVAL on a listener's accept), the peer a reset. It is the kernel's SOCK_DESTROY, which `ss -K` uses too; here it
// goes to exactly the sockets that the processes hold, found by inode and addressed by the kernel's cookie.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace fermata::phone {

struct Reclaimed {
  int sockets = 0;      // destroyed, listeners included
  int failed = 0;       // still open
  std::string problem;  // of the last failure, for people
};

enum class Sockets : std::uint8_t { All, Connections };  // Connections: listeners are left alone

// Sees the network namespace of the caller only; sockets in another one are left alone.
[[nodiscard]] Reclaimed reclaim_tcp_sockets(const std::vector<pid_t>& pids, Sockets which);

// Tries it on a socket of our own. "SOCK_DESTROY, as ss -K", or "none: why".
[[nodiscard]] std::string reclaim_means();

}  // namespace fermata::phone
