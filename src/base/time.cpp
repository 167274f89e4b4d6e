#include "base/time.hpp"

#include <ctime>

namespace fermata {
namespace {

Duration read_clock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

class SystemClock final : public Clock {
 public:
  Instant now() override { return Instant(read_clock(CLOCK_BOOTTIME)); }
  WallTime wall_now() override {
    return WallTime(std::chrono::duration_cast<std::chrono::milliseconds>(read_clock(CLOCK_REALTIME)));
  }
};

}  // namespace

Clock& system_clock() {
  // Never destroyed: threads that outlive main() still ask the time.
  static auto* const clock = new SystemClock;
  return *clock;
}

}  // namespace fermata
