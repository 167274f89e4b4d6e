#import "task_assertion.h"

#include <utility>

#include "foundation.h"

namespace fermata::apple {

std::optional<Milliseconds> background_time() {
  return time_from([UIApplication sharedApplication].backgroundTimeRemaining);
}

std::shared_ptr<BackgroundTask> BackgroundTask::begin(NSString* name, Expired expired) {
  const std::shared_ptr<BackgroundTask> task(new BackgroundTask(std::move(expired)));
  task->ended_.close();
  const std::weak_ptr<BackgroundTask> weak = task;
  const UIBackgroundTaskIdentifier id =
      [[UIApplication sharedApplication] beginBackgroundTaskWithName:name
                                                   expirationHandler:^{
                                                     if (const auto self = weak.lock()) {
                                                       self->expire();
                                                     }
                                                   }];
  if (id == UIBackgroundTaskInvalid) {
    return nullptr;
  }
  bool over = false;
  {
    const std::lock_guard lock(task->mutex_);
    task->id_ = id;
    over = task->over_;  // the handler was faster than we, before it could know the number
  }
  if (over) {
    task->end();
    return nullptr;
  }
  return task;
}

void BackgroundTask::expire() {
  const Milliseconds time_left = last_moments(background_time());
  if (expired_) {
    expired_(time_left);
    ended_.wait_for(time_left);
  }
  end();
}

void BackgroundTask::end() {
  UIBackgroundTaskIdentifier id = UIBackgroundTaskInvalid;
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
    id = std::exchange(id_, UIBackgroundTaskInvalid);
  }
  if (id != UIBackgroundTaskInvalid) {
    [[UIApplication sharedApplication] endBackgroundTask:id];
  }
  ended_.open();
}

bool BackgroundTask::running() const {
  const std::lock_guard lock(mutex_);
  return !over_;
}

void TaskAssertion::acquire() {
  release();
  auto task = BackgroundTask::begin(@"fermata", [reporter = reporter_](Milliseconds time_left) {
    reporter->strategy(Strategy::TaskAssertion, StrategyEvent::Expired, time_left);
  });
  if (!task) {
    explain_("cannot begin a background task: the system grants no more time in the background");
    reporter_->strategy(Strategy::TaskAssertion, StrategyEvent::Refused);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    task_ = std::move(task);
  }
  post_to_main([weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->report_time();
    }
  });
}

void TaskAssertion::release() {
  std::shared_ptr<BackgroundTask> task;
  {
    const std::lock_guard lock(mutex_);
    task = std::exchange(task_, nullptr);
  }
  if (task) {
    reporter_->released(Strategy::TaskAssertion);
    task->end();
  }
}

void TaskAssertion::report_time() {
  const auto task = current();
  if (task && task->running()) {
    reporter_->strategy(Strategy::TaskAssertion, StrategyEvent::Held, background_time());
  }
}

std::shared_ptr<BackgroundTask> TaskAssertion::current() const {
  const std::lock_guard lock(mutex_);
  return task_;
}

}  // namespace fermata::apple
