#import "continued_task.h"

#include <utility>

namespace fermata::apple {
namespace {

constexpr NSTimeInterval kStep = 1;    // s between two steps of progress
constexpr std::int64_t kWindow = 600;  // steps by which the goal moves on, whenever half of the way is done

NSString* string(const std::string& text) {
  return [NSString stringWithUTF8String:text.c_str()];
}

}  // namespace

bool ContinuedTask::available() const {
  if (@available(iOS 26.0, *)) {
    return !declared_.continued_task.empty();
  }
  return false;
}

void ContinuedTask::acquire() {
  release();
  if (@available(iOS 26.0, *)) {
    submit();
  } else {
    reporter_->strategy(Strategy::ContinuedTask, StrategyEvent::Unsupported);
  }
}

void ContinuedTask::submit() {
  NSString* const identifier = string(declared_.continued_task);
  {
    const std::lock_guard lock(mutex_);
    acquired_ = true;
    if (!std::exchange(registered_, true)) {
      const auto weak = weak_from_this();
      [[BGTaskScheduler sharedScheduler] registerForTaskWithIdentifier:identifier
                                                            usingQueue:nil
                                                         launchHandler:^(BGTask* task) {
                                                           if (const auto self = weak.lock()) {
                                                             self->launched(task);
                                                           } else {
                                                             [task setTaskCompletedWithSuccess:NO];
                                                           }
                                                         }];
    }
  }
  const auto request = Strong<BGContinuedProcessingTaskRequest*>::owned([[BGContinuedProcessingTaskRequest alloc]
      initWithIdentifier:identifier
                   title:string(declared_.continued_title)
                subtitle:string(declared_.continued_subtitle)]);
  // Now or not at all: one that starts in ten minutes keeps nobody alive.
  request.get().strategy = BGContinuedProcessingTaskRequestSubmissionStrategyFail;
  NSError* error = nil;
  if (![[BGTaskScheduler sharedScheduler] submitTaskRequest:request.get() error:&error]) {
    explain_(explain("cannot begin a continued task", error));
    reporter_->strategy(Strategy::ContinuedTask, StrategyEvent::Refused);
  }
}

void ContinuedTask::launched(BGTask* task) {
  const std::lock_guard lock(mutex_);
  if (!acquired_ || ![task isKindOfClass:[BGContinuedProcessingTask class]]) {
    [task setTaskCompletedWithSuccess:YES];
    return;
  }
  const auto weak = weak_from_this();
  task.expirationHandler = ^{
    if (const auto self = weak.lock()) {
      self->expire();
    }
  };
  ((BGContinuedProcessingTask*)task).progress.totalUnitCount = kWindow;
  task_ = Strong<BGTask*>::shared(task);
  finished_.close();
  ticker_ = std::make_unique<Ticker>(kStep, [weak] {
    if (const auto self = weak.lock()) {
      self->advance();
    }
  });
  reporter_->strategy(Strategy::ContinuedTask, StrategyEvent::Held);
}

void ContinuedTask::advance() {
  const std::lock_guard lock(mutex_);
  NSProgress* const progress = ((BGContinuedProcessingTask*)task_.get()).progress;
  progress.completedUnitCount += 1;
  if (progress.completedUnitCount * 2 > progress.totalUnitCount) {
    progress.totalUnitCount += kWindow;
  }
}

void ContinuedTask::expire() {
  reporter_->strategy(Strategy::ContinuedTask, StrategyEvent::Expired, kExpiringTask);
  finished_.wait_for(kExpiringTask);
  finish();
}

void ContinuedTask::release() {
  {
    const std::lock_guard lock(mutex_);
    acquired_ = false;
  }
  reporter_->released(Strategy::ContinuedTask);
  finish();
}

void ContinuedTask::finish() {
  Strong<BGTask*> task;
  {
    const std::lock_guard lock(mutex_);
    task = std::exchange(task_, {});
    ticker_.reset();
  }
  [task.get() setTaskCompletedWithSuccess:YES];
  finished_.open();
}

}  // namespace fermata::apple
