// BGContinuedProcessingTask (iOS 26): work that a person began goes on in the background, under an indicator that shows
// its progress and lets people end it. The system ends those first that make no progress, and sync has no end to make
// progress towards, so the goal moves on ahead of it.
#pragma once

#import <BackgroundTasks/BackgroundTasks.h>

#include <memory>
#include <mutex>

#include "explain.h"
#include "foundation.h"
#include "info_plist.h"
#include "last_moments.h"
#include "reporter.h"

namespace fermata::apple {

// Thread-safe: the keeper calls, and the system on queues of its own.
class ContinuedTask : public std::enable_shared_from_this<ContinuedTask> {
 public:
  ContinuedTask(std::shared_ptr<Reporter> reporter, Explain explain, Declared declared)
      : reporter_(std::move(reporter)), explain_(std::move(explain)), declared_(std::move(declared)) {}

  // Whether it is declared and this system has it.
  [[nodiscard]] bool available() const;
  // Reports Held once the system runs it; Refused if it will not, as always when the app is in the background already;
  // Unsupported before iOS 26. People who end it look like the system ending it: Expired.
  void acquire();
  void release();

 private:
  void submit() API_AVAILABLE(ios(26.0));
  void launched(BGTask* task) API_AVAILABLE(ios(26.0));
  void advance() API_AVAILABLE(ios(26.0));
  void expire();
  void finish();

  const std::shared_ptr<Reporter> reporter_;
  const Explain explain_;
  const Declared declared_;
  std::mutex mutex_;
  bool registered_ = false;
  bool acquired_ = false;
  Strong<BGTask*> task_;
  std::unique_ptr<Ticker> ticker_;
  Gate finished_;
};

}  // namespace fermata::apple
