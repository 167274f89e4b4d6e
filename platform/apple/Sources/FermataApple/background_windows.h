// Spans of background time that the system gives by itself: BGAppRefreshTask (about 30 s) and BGProcessingTask
// (minutes, on an idle device). While one is open, sync runs and the keeper may try to hold something; before it
// closes, sync is paused.
#pragma once

#import <BackgroundTasks/BackgroundTasks.h>

#include <functional>
#include <memory>
#include <mutex>

#include "explain.h"
#include "info_plist.h"
#include "last_moments.h"
#include "strong.h"

namespace fermata::apple {

// One for the process, because the system allows registering an identifier once and before the app has finished
// launching. Thread-safe. What the system opens before a platform attaches is kept for it.
class BackgroundWindows {
 public:
  struct Listener {
    std::function<void()> opened;                         // main thread
    std::function<void(Milliseconds time_left)> closing;  // main thread; ready() is awaited that long
  };

  [[nodiscard]] static BackgroundWindows& shared();

  // For application(_:didFinishLaunchingWithOptions:). Registers what is declared; once.
  void register_handlers(const Declared& declared, const Explain& explain);
  void attach(Listener listener);
  void detach();
  // Asks for the next windows; when the app enters the background, and in each window for the one after it.
  void submit();
  // Sync is paused: if the window is closing, the system is told that all is done.
  void ready();

 private:
  void finish();
  void register_one(const std::string& identifier);
  void open(BGTask* task);
  void announce();
  void expire();
  void submit_request(BGTaskRequest* request, NSTimeInterval at_the_earliest);

  std::mutex mutex_;
  Declared declared_;
  Explain explain_;
  bool registered_ = false;
  Listener listener_;
  Strong<BGTask*> window_;
  bool closing_ = false;
  Gate finished_;
};

}  // namespace fermata::apple
