// The way to the keeper. Knows what is held, because a shim may need that too, and can be silenced for good.
#pragma once

#include <array>
#include <fermata/platform.hpp>
#include <functional>
#include <mutex>
#include <optional>

namespace fermata::apple {

// Thread-safe. The keeper's functions never block, so they are called under the lock: after silence() there is no call.
class Reporter {
 public:
  explicit Reporter(PlatformEvents events) : events_(std::move(events)) {}

  void app_state(AppState state, std::optional<std::chrono::milliseconds> time_left) {
    const std::lock_guard lock(mutex_);
    if (events_.on_app_state) {
      events_.on_app_state(state, time_left);
    }
  }

  void strategy(Strategy which, StrategyEvent event, std::optional<std::chrono::milliseconds> time_left = {}) {
    const std::lock_guard lock(mutex_);
    held_[static_cast<std::size_t>(which)] = event == StrategyEvent::Held;
    if (events_.on_strategy) {
      events_.on_strategy(which, event, time_left);
    }
  }

  void released(Strategy which) {
    const std::lock_guard lock(mutex_);
    held_[static_cast<std::size_t>(which)] = false;
  }

  void conditions(const Conditions& now) {
    const std::lock_guard lock(mutex_);
    if (events_.on_conditions) {
      events_.on_conditions(now);
    }
  }

  // As last reported; a task assertion is held until it expires.
  [[nodiscard]] bool anything_held() const {
    const std::lock_guard lock(mutex_);
    for (const bool held : held_) {
      if (held) {
        return true;
      }
    }
    return false;
  }

  void silence() {
    const std::lock_guard lock(mutex_);
    events_ = {};
  }

 private:
  mutable std::mutex mutex_;
  PlatformEvents events_;
  std::array<bool, kStrategies> held_{};
};

}  // namespace fermata::apple
