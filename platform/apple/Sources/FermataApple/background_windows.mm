#import "background_windows.h"

#include <utility>

#include "foundation.h"

namespace fermata::apple {
namespace {

// At the earliest; the system decides by how the app is used.
constexpr NSTimeInterval kRefreshAfter = 15 * 60, kProcessingAfter = 60 * 60;

NSString* string(const std::string& text) {
  return [NSString stringWithUTF8String:text.c_str()];
}

}  // namespace

BackgroundWindows& BackgroundWindows::shared() {
  static auto* const windows = new BackgroundWindows;  // the system may call it until the process ends
  return *windows;
}

void BackgroundWindows::register_handlers(const Declared& declared, const Explain& explain) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(registered_, true)) {
      return;
    }
    declared_ = declared;
    explain_ = explain;
  }
  register_one(declared.refresh_task);
  register_one(declared.processing_task);
}

void BackgroundWindows::register_one(const std::string& identifier) {
  if (identifier.empty()) {
    return;
  }
  const BOOL registered = [[BGTaskScheduler sharedScheduler] registerForTaskWithIdentifier:string(identifier)
                                                                                usingQueue:nil
                                                                             launchHandler:^(BGTask* task) {
                                                                               open(task);
                                                                             }];
  if (!registered) {
    explain_("cannot register the background task " + identifier + ": register it once, at launch");
  }
}

void BackgroundWindows::attach(Listener listener) {
  {
    const std::lock_guard lock(mutex_);
    listener_ = std::move(listener);
  }
  post_to_main([this] { announce(); });
}

void BackgroundWindows::detach() {
  {
    const std::lock_guard lock(mutex_);
    listener_ = {};
  }
  finish();
}

void BackgroundWindows::open(BGTask* task) {
  finish();  // a second one while the first is open: that has had its time
  finished_.close();
  {
    const std::lock_guard lock(mutex_);
    window_ = Strong<BGTask*>::shared(task);
  }
  task.expirationHandler = ^{
    expire();
  };
  submit();
  post_to_main([this] { announce(); });
}

void BackgroundWindows::announce() {
  std::function<void()> opened;
  {
    const std::lock_guard lock(mutex_);
    opened = window_ ? listener_.opened : nullptr;
  }
  if (opened) {
    opened();
  }
}

// On a queue of the system's, which waits for us.
void BackgroundWindows::expire() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  post_to_main([this] {
    std::function<void(Milliseconds)> closing;
    {
      const std::lock_guard lock(mutex_);
      closing = window_ ? listener_.closing : nullptr;
    }
    if (closing) {
      closing(kExpiringTask);
    }
  });
  finished_.wait_for(kExpiringTask);
  finish();
}

void BackgroundWindows::ready() {
  {
    const std::lock_guard lock(mutex_);
    if (!closing_) {
      return;  // said about the time before this window
    }
  }
  finish();
}

void BackgroundWindows::submit() {
  Declared declared;
  {
    const std::lock_guard lock(mutex_);
    declared = registered_ ? declared_ : Declared{};
  }
  if (!declared.refresh_task.empty()) {
    const auto request = Strong<BGAppRefreshTaskRequest*>::owned(
        [[BGAppRefreshTaskRequest alloc] initWithIdentifier:string(declared.refresh_task)]);
    submit_request(request.get(), kRefreshAfter);
  }
  if (!declared.processing_task.empty()) {
    const auto request = Strong<BGProcessingTaskRequest*>::owned(
        [[BGProcessingTaskRequest alloc] initWithIdentifier:string(declared.processing_task)]);
    request.get().requiresNetworkConnectivity = YES;
    submit_request(request.get(), kProcessingAfter);
  }
}

void BackgroundWindows::submit_request(BGTaskRequest* request, NSTimeInterval at_the_earliest) {
  request.earliestBeginDate = [NSDate dateWithTimeIntervalSinceNow:at_the_earliest];
  NSError* error = nil;
  if (![[BGTaskScheduler sharedScheduler] submitTaskRequest:request error:&error]) {
    explain_(explain("cannot ask for background time", error));
  }
}

void BackgroundWindows::finish() {
  Strong<BGTask*> window;
  {
    const std::lock_guard lock(mutex_);
    window = std::exchange(window_, {});
    closing_ = false;
  }
  [window.get() setTaskCompletedWithSuccess:YES];
  finished_.open();
}

}  // namespace fermata::apple
