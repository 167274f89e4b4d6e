#include "query/collector.hpp"

#include <algorithm>

namespace fermata::query {
namespace {

// Whatever the clocks said when something was touched.
constexpr std::chrono::hours kLongest{24};

}  // namespace

Collector::Collector(store::Store& store, Clock& clock) : store_(store), clock_(clock) {
  store_.attachments().set_due_listener([this] { look(); });
  if (!store_.attachments().is_empty().value_or(false)) look();
}

Collector::~Collector() {
  store_.attachments().set_due_listener({});
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Collector::look() {
  {
    const std::lock_guard lock(mutex_);
    looking_ = true;
    paused_ = false;
    if (!thread_.joinable()) thread_ = std::thread([this] { serve(); });
  }
  changed_.notify_all();
}

bool Collector::pause(Duration within) {
  std::unique_lock lock(mutex_);
  paused_ = true;
  changed_.notify_all();
  return changed_.wait_for(lock, within, [&] { return !working_; });
}

void Collector::resume() {
  {
    const std::lock_guard lock(mutex_);
    paused_ = false;
    looking_ = thread_.joinable();
  }
  changed_.notify_all();
}

// Nothing: there is nothing to wait for. An error says nothing of what there is.
std::optional<Duration> Collector::time_left() {
  const auto due = store_.attachments().next_collection();
  if (!due) return kPause;
  if (!*due) return std::nullopt;
  return std::min<WallTime::duration>(**due - clock_.wall_now(), kLongest);
}

void Collector::serve() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (paused_ || !looking_) {
      changed_.wait(lock);
      continue;
    }
    looking_ = false;
    working_ = true;
    lock.unlock();
    const std::optional<Duration> left = time_left();
    lock.lock();
    working_ = false;
    changed_.notify_all();
    if (!left || stopping_ || paused_) continue;
    if (*left > Duration::zero()) {
      const bool interrupted = changed_.wait_for(lock, *left, [&] { return stopping_ || paused_ || looking_; });
      looking_ = true;
      if (interrupted) continue;
    } else {
      collect(lock);
      looking_ = true;
      changed_.wait_for(lock, kPause, [&] { return stopping_ || paused_; });
    }
  }
}

void Collector::collect(std::unique_lock<std::mutex>& lock) {
  store::Attachments::Collection collection(store_.attachments());
  for (bool more = true; more && !stopping_ && !paused_;) {
    working_ = true;
    lock.unlock();
    more = collection.step().value_or(false);
    lock.lock();
    working_ = false;
    changed_.notify_all();
  }
}

}  // namespace fermata::query
