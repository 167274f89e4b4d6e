// beginBackgroundTask: a span that the system grants, about 30 s, less when it likes. Each task that was begun is ended
// exactly once, also when nobody does it in time: a leaked one kills the app.
#pragma once

#import <UIKit/UIKit.h>

#include <functional>
#include <memory>
#include <mutex>

#include "explain.h"
#include "last_moments.h"
#include "reporter.h"

namespace fermata::apple {

// What the system grants us now; main thread only, as UIKit wants it.
[[nodiscard]] std::optional<Milliseconds> background_time();

// One task. Thread-safe.
class BackgroundTask : public std::enable_shared_from_this<BackgroundTask> {
 public:
  // On the main thread, when the system is about to end it: whoever needs the `time_left` uses it and then calls end().
  // The system's handler waits that long.
  using Expired = std::function<void(Milliseconds time_left)>;

  // Nothing if the system grants none.
  [[nodiscard]] static std::shared_ptr<BackgroundTask> begin(NSString* name, Expired expired);
  ~BackgroundTask() { end(); }
  BackgroundTask(const BackgroundTask&) = delete;
  BackgroundTask& operator=(const BackgroundTask&) = delete;

  // Idempotent.
  void end();
  [[nodiscard]] bool running() const;

 private:
  explicit BackgroundTask(Expired expired) : expired_(std::move(expired)) {}
  void expire();

  const Expired expired_;
  mutable std::mutex mutex_;
  UIBackgroundTaskIdentifier id_ = UIBackgroundTaskInvalid;
  bool over_ = false;
  Gate ended_;
};

// The strategy TaskAssertion. Called by the keeper's thread, except report_time().
class TaskAssertion : public std::enable_shared_from_this<TaskAssertion> {
 public:
  TaskAssertion(std::shared_ptr<Reporter> reporter, Explain explain)
      : reporter_(std::move(reporter)), explain_(std::move(explain)) {}

  // Reports Held with the time that is left, or Refused; later Expired, a little before the end.
  void acquire();
  void release();
  // Main thread: reports Held again if a task is held, since the time that is left is only known in the background.
  void report_time();

 private:
  [[nodiscard]] std::shared_ptr<BackgroundTask> current() const;

  const std::shared_ptr<Reporter> reporter_;
  const Explain explain_;
  mutable std::mutex mutex_;
  std::shared_ptr<BackgroundTask> task_;
};

}  // namespace fermata::apple
