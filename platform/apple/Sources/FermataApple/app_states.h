// Where the app is: on the screen, on its way, in the background, about to end. With and without scenes.
#pragma once

#import <UIKit/UIKit.h>

#include <memory>
#include <optional>

#include "foundation.h"
#include "reporter.h"
#include "task_assertion.h"

namespace fermata::apple {

// UIKit's notifications come on the main thread, and all state here is that thread's own. ready() comes from the
// keeper's.
class AppStates : public std::enable_shared_from_this<AppStates> {
 public:
  // From didEnterBackground an app has "approximately five seconds", but only until its handlers have returned. So we
  // begin a task of our own there, which makes the five seconds true, and end it as soon as something is held, sync is
  // paused or the app is back.
  static constexpr Milliseconds kGrace{5000};

  // `entered_background` is called after Background was reported.
  AppStates(std::shared_ptr<Reporter> reporter, std::function<void()> entered_background)
      : reporter_(std::move(reporter)), entered_background_(std::move(entered_background)) {}

  // Listens, and reports where the app is now: it may have been launched straight into the background.
  void start();
  // Sync is paused: the system may suspend us, or end us.
  void ready();
  // Something is held: the grace is not needed.
  void held();
  // A background launch by the system: for as long as it lasts sync may run, which the keeper knows as Inactive.
  void window_opened();
  void window_closing(Milliseconds time_left);

 private:
  void listen(NSString* name, void (AppStates::*handle)(NSNotification*));
  void report(AppState state, std::optional<Milliseconds> time_left);
  void follow_application(NSNotification*);
  void will_enter_foreground(NSNotification*);
  void did_become_active(NSNotification*);
  void will_resign_active(NSNotification*);
  void did_enter_background(NSNotification*);
  void will_terminate(NSNotification*);
  void scene_will_deactivate(NSNotification* notification);
  void scene_did_enter_background(NSNotification* notification);
  void begin_grace();
  void end_grace();

  const std::shared_ptr<Reporter> reporter_;
  const std::function<void()> entered_background_;
  Observers observers_;
  std::optional<AppState> last_;
  bool in_window_ = false;
  std::mutex grace_mutex_;
  std::shared_ptr<BackgroundTask> grace_;
  Gate ready_;
};

}  // namespace fermata::apple
