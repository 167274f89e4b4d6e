// Time as the rest of the code sees it: values that somebody hands in, never a call to the system.
#pragma once

#include <chrono>
#include <cstdint>

namespace fermata {

using Duration = std::chrono::nanoseconds;

// The tag of a clock that keeps counting while the machine sleeps (CLOCK_BOOTTIME). It has no now():
// only a Clock can tell the time.
struct BootClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
};
using Instant = BootClock::time_point;

// Milliseconds since 1970 by the wall clock; may jump either way.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

// The seam through which time enters. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Instant now() = 0;
  [[nodiscard]] virtual WallTime wall_now() = 0;
};

// The operating system's clocks. Lives for ever.
[[nodiscard]] Clock& system_clock();

}  // namespace fermata
