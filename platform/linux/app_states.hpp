// Puts the machine's sleep above whatever else is known of the app's state. Thread-safe; reports come from the calling
// thread, one at a time.
#pragma once

#include <chrono>
#include <fermata/platform.hpp>
#include <functional>
#include <mutex>
#include <optional>

namespace fermata::linux_platform {

class AppStates {
 public:
  using TimeLeft = std::optional<std::chrono::milliseconds>;
  using Report = std::function<void(AppState, TimeLeft)>;

  explicit AppStates(Report report) : report_(std::move(report)) {}

  // What the app is in while the machine is awake.
  void set(AppState state, TimeLeft time_left) {
    const std::lock_guard lock(mutex_);
    state_ = state;
    time_left_ = time_left;
    if (!asleep_) {
      report_(state, time_left);
    }
  }
  void sleep(std::chrono::milliseconds time_left) {
    const std::lock_guard lock(mutex_);
    asleep_ = true;
    report_(AppState::Suspended, time_left);
  }
  void wake() {
    const std::lock_guard lock(mutex_);
    asleep_ = false;
    report_(state_, time_left_);
  }

 private:
  const Report report_;
  std::mutex mutex_;
  bool asleep_ = false;
  AppState state_ = AppState::Foreground;
  TimeLeft time_left_;
};

}  // namespace fermata::linux_platform
