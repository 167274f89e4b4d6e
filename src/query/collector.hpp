// Removes in the background what no document names any more of the content of attachments. A thread of its own, begun
// when there is such content for the first time, sleeps until some of it may go, and works in steps of about a
// millisecond. Thread-safe.
//
// Lock order: as for live queries. The store's mutex may be held when ours is taken, and nothing of the store is called
// under ours.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "store/attachments.hpp"

namespace fermata::query {

class Collector {
 public:
  Collector(store::Store& store, Clock& clock);
  ~Collector();  // gives up what it does, which the next one begins anew
  Collector(const Collector&) = delete;

  // Leaves the store alone until something of attachments changes there or its files are opened again. False: a step
  // still ran when `within` had passed.
  [[nodiscard]] bool pause(Duration within);
  void resume();

 private:
  // After a collection, whatever it did, or could not do.
  static constexpr Duration kPause = std::chrono::minutes(1);

  void look();
  void serve();
  [[nodiscard]] std::optional<Duration> time_left();
  void collect(std::unique_lock<std::mutex>& lock);

  store::Store& store_;
  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;  // any of the below
  bool looking_ = false;             // there is, or was, something to ask the store for
  bool paused_ = false, stopping_ = false, working_ = false;
  std::thread thread_;
};

}  // namespace fermata::query
