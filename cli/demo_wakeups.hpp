// How often a process woke up: voluntary context switches of all its threads, from /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace fermata::cli {

// 0 for a process that is gone.
[[nodiscard]] std::uint64_t voluntary_switches(pid_t pid);

}  // namespace fermata::cli
