// How a timerfd of CLOCK_MONOTONIC is set.
#pragma once

#include <sys/timerfd.h>

#include <algorithm>
#include <optional>

#include "base/time.hpp"

namespace fermata {

// For timerfd_settime() without flags: fires once at `deadline`, at once if that is past, never if there is none. The
// time that is left and not an absolute one: libfaketime, which moves the wall clock of a program under the phone
// simulator, would move that too, though the timer's clock is another.
inline itimerspec timer_setting(std::optional<Instant> deadline) {
  itimerspec setting{};  // zero disarms
  if (deadline) {
    const Duration left = std::max(*deadline - system_clock().now(), Duration(1));
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    setting.it_value.tv_sec = static_cast<time_t>(seconds.count());
    setting.it_value.tv_nsec = static_cast<long>((left - seconds).count());
  }
  return setting;
}

}  // namespace fermata
