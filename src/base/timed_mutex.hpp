// std::timed_mutex that ThreadSanitizer sees: GCC 12's does not know pthread_mutex_clocklock, on which the standard
// one's waiting rests, and reports the unlock that follows. For std::unique_lock. Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace fermata {

class TimedMutex {
 public:
  void lock() {
    std::unique_lock lock(mutex_);
    free_.wait(lock, [this] { return !held_; });
    held_ = true;
  }
  [[nodiscard]] bool try_lock() {
    const std::lock_guard lock(mutex_);
    return !std::exchange(held_, true);
  }
  [[nodiscard]] bool try_lock_until(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    if (!free_.wait_until(lock, deadline, [this] { return !held_; })) return false;
    held_ = true;
    return true;
  }
  void unlock() {
    {
      const std::lock_guard lock(mutex_);
      held_ = false;
    }
    free_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable free_;
  bool held_ = false;
};

}  // namespace fermata
