#include "lifecycle/keeper.hpp"

namespace fermata::lifecycle {

BackgroundSyncStatus Keeper::status() const {
  BackgroundSyncStatus status;
  status.is_on = on_;
  status.app_state = state_;
  status.syncing = sync_ == Sync::Running;
  status.holding = audio_held() || (bridge_ && bridge_->phase == Phase::Held);
  status.strategy = audio_held() || !bridge_ || !status.holding ? Strategy::SilentAudio : Strategy::TaskAssertion;
  status.reason = reason();
  status.interruptions = interruptions_;
  status.recoveries = recoveries_;
  return status;
}

std::string Keeper::reason() const {
  if (!in_background()) {
    if (sync_ != Sync::Running) {
      return "The app is back on the screen; sync resumes once its pause is complete.";
    }
    return audio_held() ? "The app is leaving the screen; silent audio is ready to keep it running."
                        : "The app is on the screen; sync runs and needs no help.";
  }
  if (sync_ == Sync::Pausing) {
    return "The system is about to suspend the app; sync is being paused.";
  }
  if (sync_ == Sync::Paused) {
    return "Sync is paused and resumes when the app returns to the screen.";
  }
  if (!on_) {
    return "Background sync is off; sync is paused before the system suspends the app.";
  }
  if (!demand_) {
    return "There is nothing to sync; sync is paused before the system suspends the app.";
  }
  if (audio_held()) {
    return "Silent audio keeps the app running in the background.";
  }
  return trouble_reason();
}

std::string Keeper::trouble_reason() const {
  const bool bridged = bridge_ && bridge_->phase == Phase::Held;
  const std::string means =
      bridged ? "; a task assertion keeps the app running for a while." : "; nothing holds the app.";
  if (!audio_) {
    return bridged ? "A task assertion keeps the app running for a while."
                   : "No way to keep the app running is held; sync is paused before the system suspends the app.";
  }
  switch (trouble_) {
    case StrategyEvent::Held:
      return "Silent audio is being started.";
    case StrategyEvent::Interrupted:
      return "Silent audio is interrupted" + means;
    case StrategyEvent::InterruptionEnded:
      return "The interruption is over and silent audio is being started again" + means;
    case StrategyEvent::Refused:
    case StrategyEvent::Unsupported:
      return "Silent audio could not be started and is tried again" + means;
    case StrategyEvent::Expired:
    case StrategyEvent::Lost:
      return "Silent audio was lost and is being started again" + means;
  }
  return {};
}

}  // namespace fermata::lifecycle
