// What other threads report, waited for with a deadline.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

namespace fermata {

template <class T>
class Mailbox {
 public:
  static constexpr auto kPatience = std::chrono::seconds(20);

  void put(T item) {
    const std::lock_guard lock(mutex_);
    items_.push_back(std::move(item));
    changed_.notify_all();
  }
  // The next one, or nothing if none came in time.
  std::optional<T> take(std::chrono::milliseconds within = kPatience) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, within, [this] { return !items_.empty(); })) {
      return std::nullopt;
    }
    T item = std::move(items_.front());
    items_.pop_front();
    return item;
  }
  // Throws away what is not wanted; false if it never came.
  template <class Predicate>
  bool await(Predicate wanted) {
    while (const auto item = take()) {
      if (wanted(*item)) {
        return true;
      }
    }
    return false;
  }
  [[nodiscard]] bool empty() {
    const std::lock_guard lock(mutex_);
    return items_.empty();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> items_;
};

}  // namespace fermata
