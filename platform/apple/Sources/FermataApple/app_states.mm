#import "app_states.h"

#include <utility>

namespace fermata::apple {
namespace {

// How long the main thread waits in willTerminate for sync to be paused; the system kills after about 5 s.
constexpr Milliseconds kTermination{4000};

// Whether a scene other than `leaving` is on the screen at least as much as `state`; lower numbers are more.
bool another_scene_is(UISceneActivationState state, id leaving) {
  for (UIScene* scene in [UIApplication sharedApplication].connectedScenes) {
    const UISceneActivationState its = scene.activationState;
    if (scene != leaving && its >= UISceneActivationStateForegroundActive && its <= state) {
      return true;
    }
  }
  return false;
}

}  // namespace

void AppStates::start() {
  listen(UIApplicationWillEnterForegroundNotification, &AppStates::will_enter_foreground);
  listen(UIApplicationDidBecomeActiveNotification, &AppStates::did_become_active);
  listen(UIApplicationWillResignActiveNotification, &AppStates::will_resign_active);
  listen(UIApplicationDidEnterBackgroundNotification, &AppStates::did_enter_background);
  listen(UIApplicationWillTerminateNotification, &AppStates::will_terminate);
  listen(UISceneWillEnterForegroundNotification, &AppStates::will_enter_foreground);
  listen(UISceneDidActivateNotification, &AppStates::did_become_active);
  listen(UISceneWillDeactivateNotification, &AppStates::scene_will_deactivate);
  listen(UISceneDidEnterBackgroundNotification, &AppStates::scene_did_enter_background);
  post_to_main([weak = weak_from_this()] {
    if (const auto self = weak.lock(); self && !self->last_) {
      self->follow_application(nil);
    }
  });
}

void AppStates::listen(NSString* name, void (AppStates::*handle)(NSNotification*)) {
  observers_.listen(name, [weak = weak_from_this(), handle](NSNotification* notification) {
    if (const auto self = weak.lock()) {
      (self.get()->*handle)(notification);
    }
  });
}

void AppStates::report(AppState state, std::optional<Milliseconds> time_left) {
  if (last_ != state) {
    last_ = state;
    reporter_->app_state(state, time_left);
  }
}

void AppStates::follow_application(NSNotification*) {
  switch ([UIApplication sharedApplication].applicationState) {
    case UIApplicationStateActive:
      did_become_active(nil);
      return;
    case UIApplicationStateInactive:
      report(AppState::Inactive, std::nullopt);
      return;
    case UIApplicationStateBackground:
      did_enter_background(nil);
      return;
  }
}

void AppStates::will_enter_foreground(NSNotification*) {
  in_window_ = false;
  end_grace();
  if (last_ != AppState::Foreground) {  // another scene comes to one that is there already
    report(AppState::Inactive, std::nullopt);
  }
}

void AppStates::did_become_active(NSNotification*) {
  in_window_ = false;
  end_grace();
  report(AppState::Foreground, std::nullopt);
}

// The keeper acquires now: the audio session must be active before the app is in the background.
void AppStates::will_resign_active(NSNotification*) {
  report(AppState::Inactive, std::nullopt);
}

void AppStates::did_enter_background(NSNotification*) {
  if (last_ == AppState::Background || in_window_) {
    return;
  }
  if (!reporter_->anything_held()) {
    begin_grace();
  }
  const auto granted = background_time();
  report(AppState::Background, std::min(granted.value_or(kGrace), kGrace));
  entered_background_();
}

void AppStates::will_terminate(NSNotification*) {
  ready_.close();
  report(AppState::Terminating, kTermination);
  ready_.wait_for(kTermination);
}

void AppStates::scene_will_deactivate(NSNotification* notification) {
  if (!another_scene_is(UISceneActivationStateForegroundActive, [notification object])) {
    will_resign_active(nil);
  }
}

void AppStates::scene_did_enter_background(NSNotification* notification) {
  if (!another_scene_is(UISceneActivationStateForegroundInactive, [notification object])) {
    did_enter_background(nil);
  }
}

void AppStates::ready() {
  end_grace();
  ready_.open();
}

void AppStates::held() {
  end_grace();
}

void AppStates::begin_grace() {
  {
    const std::lock_guard lock(grace_mutex_);
    grace_ = BackgroundTask::begin(@"fermata: pausing", nullptr);
  }
  // The keeper's thread may have got hold of something since that was asked, and then found no grace to end.
  if (reporter_->anything_held()) {
    end_grace();
  }
}

void AppStates::end_grace() {
  std::shared_ptr<BackgroundTask> grace;
  {
    const std::lock_guard lock(grace_mutex_);
    grace = std::exchange(grace_, nullptr);
  }
  if (grace) {
    grace->end();
  }
}

void AppStates::window_opened() {
  in_window_ = true;
  if (!last_ || last_ == AppState::Background) {
    report(AppState::Inactive, std::nullopt);
  }
}

void AppStates::window_closing(Milliseconds time_left) {
  if (std::exchange(in_window_, false)) {
    report(AppState::Background, time_left);
  }
}

}  // namespace fermata::apple
