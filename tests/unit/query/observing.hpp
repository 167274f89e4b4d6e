// What observers see, executors that wait, and a database to observe.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "query/database_impl.hpp"
#include "support/temp_dir.hpp"

namespace fermata {

inline constexpr auto kDeadline = std::chrono::seconds(20);

inline std::string ids_of(const QueryResult& result) {
  std::string ids;
  for (const Map& item : result.items) ids += *item.at("_id").if_a<std::string>();
  return ids;
}

// Collects what an observer was told; waits for it with a deadline.
class Seen {
 public:
  void add(const QueryResult& result) {
    {
      const std::lock_guard lock(mutex_);
      results_.push_back(ids_of(result));
    }
    changed_.notify_all();
  }
  std::function<void(const QueryResult&)> callback() {
    return [this](const QueryResult& result) { add(result); };
  }
  // Whether the latest result is, or becomes, these ids.
  bool latest_is(const std::string& ids) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kDeadline, [&] { return !results_.empty() && results_.back() == ids; });
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return results_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> results_;
};

// An executor that runs tasks when told to.
class ManualExecutor {
 public:
  Executor executor() {
    return [this](std::function<void()> task) {
      {
        const std::lock_guard lock(mutex_);
        tasks_.push_back(std::move(task));
      }
      changed_.notify_all();
    };
  }
  // Waits for the next task and takes it; empty after the deadline.
  std::function<void()> take() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kDeadline, [&] { return !tasks_.empty(); })) return {};
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
  }
  std::size_t waiting() {
    const std::lock_guard lock(mutex_);
    return tasks_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
};

inline std::unique_ptr<Database> open(const support::TempDir& directory, Executor executor = {}) {
  return Database::open({.directory = directory.path(), .executor = std::move(executor)}).value();
}

inline void insert(Database& database, const std::string& id, const std::string& collection = "c") {
  ASSERT_TRUE(database.execute("INSERT INTO " + collection + " DOCUMENTS (:d)", {{"d", Map{{"_id", id}, {"n", 1}}}}));
}

}  // namespace fermata
