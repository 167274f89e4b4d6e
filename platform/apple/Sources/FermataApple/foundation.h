// What the shim needs of Foundation, in C++: work for the main thread, notifications, a repeating timer.
#pragma once

#import <Foundation/Foundation.h>

#include <functional>
#include <vector>

#include "strong.h"

@class FMTObserver;

namespace fermata::apple {

// Runs `work` on the main thread in one of its next turns, never at once. From any thread.
void post_to_main(std::function<void()> work);

// Whoever listens to notifications: unregistered when destroyed. Handlers run on the thread that posts; one that is
// running at that moment may still finish, so it must hold what it uses (weakly).
class Observers {
 public:
  using Handler = std::function<void(NSNotification*)>;
  Observers() = default;
  ~Observers();
  Observers(const Observers&) = delete;
  Observers& operator=(const Observers&) = delete;

  void listen(NSString* name, Handler handler);

 private:
  std::vector<Strong<FMTObserver*>> observers_;
};

// Calls `work` on the main thread again and again until it is destroyed; a last call may come just after that, so
// `work` must hold what it uses (weakly). Made and destroyed on any thread.
class Ticker {
 public:
  Ticker(NSTimeInterval period, std::function<void()> work);
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  Strong<FMTObserver*> target_;
};

// The number under `key` of a notification's userInfo, or `otherwise`: neither may be there.
[[nodiscard]] NSUInteger number_in(NSNotification* notification, NSString* key, NSUInteger otherwise);

}  // namespace fermata::apple
