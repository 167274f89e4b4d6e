// How long the shim may stay in a handler in which the system says that our time is over.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

namespace fermata::apple {

using Milliseconds = std::chrono::milliseconds;

// What UIApplication.backgroundTimeRemaining says: nothing when it is practically unlimited, as in the foreground.
[[nodiscard]] inline std::optional<Milliseconds> time_from(double remaining_s) {
  constexpr double kUnlimited = 24 * 3600;
  if (!(remaining_s < kUnlimited)) {
    return std::nullopt;
  }
  return Milliseconds(static_cast<Milliseconds::rep>(remaining_s > 0 ? remaining_s * 1000 : 0));
}

// The system expires a task some 5 s before the end, now and then only 1 s; whoever has not ended it then is killed.
// So a second is kept, and half a second is used in any case.
[[nodiscard]] inline Milliseconds last_moments(std::optional<Milliseconds> remaining) {
  constexpr Milliseconds kLeast{500}, kMost{4000}, kKept{1000};
  return std::clamp(remaining.value_or(Milliseconds::zero()) - kKept, kLeast, kMost);
}

// A BGTask that expires names no time at all; nobody was seen killed in the first two seconds.
inline constexpr Milliseconds kExpiringTask{2000};

// Somebody waits for something to be done elsewhere.
class Gate {
 public:
  void close() {
    const std::lock_guard lock(mutex_);
    open_ = false;
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  void wait_for(Milliseconds at_most) {
    std::unique_lock lock(mutex_);
    opened_.wait_for(lock, at_most, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = true;
};

}  // namespace fermata::apple
