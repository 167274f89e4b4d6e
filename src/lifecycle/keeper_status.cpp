// What the keeper says about itself.
#include <fmt/core.h>

#include <algorithm>

#include "lifecycle/keeper.hpp"

namespace fermata::lifecycle {
namespace {

std::string_view title_of(Strategy strategy) {
  switch (strategy) {
    case Strategy::SilentAudio:
      return "silent audio";
    case Strategy::PulsedAudio:
      return "silent audio in pulses";
    case Strategy::TaskAssertion:
      return "a task assertion";
    case Strategy::MediaPlayer:
      return "a media player";
    case Strategy::ForegroundService:
      return "a foreground service";
    case Strategy::ContinuedTask:
      return "a continued task";
  }
  return "a strategy";
}

std::string capitalised(std::string_view text) {
  std::string result(text);
  result.front() = static_cast<char>(result.front() - 'a' + 'A');
  return result;
}

}  // namespace

std::optional<Strategy> Keeper::holding() const {
  if (const Slot* held = held_primary()) {
    return held->strategy;
  }
  return bridge_ && bridge_->phase == Phase::Held ? std::optional(Strategy::TaskAssertion) : std::nullopt;
}

BackgroundSyncStatus Keeper::status() const {
  BackgroundSyncStatus status;
  status.is_on = on_;
  status.app_state = state_;
  status.syncing = sync_ == Sync::Running;
  status.holding = holding().has_value();
  status.strategy = holding().value_or(Strategy::SilentAudio);
  status.reason = reason();
  status.interruptions = interruptions_;
  status.recoveries = recoveries_;
  status.conditions = conditions_;
  if (pulsing()) {
    status.pulse_period = std::chrono::duration_cast<std::chrono::milliseconds>(learner_.period());
  }
  return status;
}

std::string Keeper::reason() const {
  const Slot* held = held_primary();
  if (!in_background()) {
    if (sync_ != Sync::Running) {
      return "The app is back on the screen; sync resumes once its pause is complete.";
    }
    return held
               ? fmt::format("The app is leaving the screen; {} is ready to keep it running.", title_of(held->strategy))
               : "The app is on the screen; sync runs and needs no help.";
  }
  if (sync_ == Sync::Pausing) {
    return "The system is about to suspend the app; sync is being paused.";
  }
  if (sync_ == Sync::Paused) {
    return paused_reason();
  }
  if (!on_) {
    return "Background sync is off; sync is paused before the system suspends the app.";
  }
  if (objection() != Objection::None) {
    return objection_reason() + "; sync is paused before the system suspends the app.";
  }
  if (!demanded()) {
    return "There is nothing to sync; sync is paused before the system suspends the app.";
  }
  return held ? held_reason(*held) : trouble_reason();
}

std::string Keeper::objection_reason() const {
  switch (objection()) {
    case Objection::None:
      return "The device has recovered";
    case Objection::FilesLocked:
      return "The device is locked and its files are encrypted";
    case Objection::LowPower:
      return "The device is saving power";
    case Objection::Battery:
      return fmt::format("The battery is at {} %, below the {} % that background sync needs",
                         *conditions_.battery_percent, options_.hold_above_battery_percent);
    case Objection::Metered:
      return "The network is paid for by volume";
  }
  return {};
}

std::string Keeper::paused_reason() const {
  const std::string_view until = "; sync is paused until the app returns to the screen.";
  switch (paused_for_) {
    case GapCause::Off:
      return fmt::format("Background sync is off{}", until);
    case GapCause::NoDemand:
      return fmt::format("There was nothing to sync{}", until);
    case GapCause::Conditions:
      return objection() == Objection::None
                 ? fmt::format("The device asked to let go{}", until)
                 : objection_reason() + "; sync is paused until that is over and a strategy is held again.";
    case GapCause::Interrupted:
      return "An interruption outlasted what the system grants; sync is paused until it ends or the app returns to the "
             "screen.";
    case GapCause::Expired:
      return fmt::format("The time that the system grants is over{}", until);
    case GapCause::Refused:
      return fmt::format("No way to keep the app running could be had{}", until);
    case GapCause::Suspended:
    case GapCause::Ended:
    case GapCause::NoPeers:
      return fmt::format("The system suspends the app{}", until);
  }
  return {};
}

std::string Keeper::held_reason(const Slot& held) const {
  const Slot* better = first_in_trouble();
  const std::string what = better && better < &held
                               ? fmt::format("{} is not to be had at present; {}",
                                             capitalised(title_of(better->strategy)), title_of(held.strategy))
                               : capitalised(title_of(held.strategy));
  const bool only_for_the_app = latest_demand_.holds > 0 && !demand_.unsynced && !demand_.peers;
  return only_for_the_app && !latest_demand_.hold_reason.empty()
             ? fmt::format("{} keeps the app running in the background for its own sake: {}.", what,
                           latest_demand_.hold_reason)
             : fmt::format("{} keeps the app running in the background.", what);
}

const Slot* Keeper::first_in_trouble() const {
  const auto found = std::find_if(primaries_.begin(), primaries_.end(),
                                  [](const Slot& slot) { return slot.usable() && slot.troubled(); });
  return found == primaries_.end() ? nullptr : &*found;
}

std::string Keeper::trouble_reason() const {
  const bool bridged = bridge_ && bridge_->phase == Phase::Held;
  const std::string_view means =
      bridged ? "; a task assertion keeps the app running for a while." : "; nothing holds the app.";
  const auto started =
      std::find_if(primaries_.begin(), primaries_.end(), [](const Slot& slot) { return slot.usable(); });
  if (started == primaries_.end()) {
    return bridged ? "A task assertion keeps the app running for a while."
                   : "No way to keep the app running is held; sync is paused before the system suspends the app.";
  }
  const Slot* troubled = first_in_trouble();
  const std::string title = capitalised(title_of((troubled ? *troubled : *started).strategy));
  switch (troubled ? troubled->trouble : StrategyEvent::Held) {
    case StrategyEvent::Held:
      return title + " is being started.";
    case StrategyEvent::Interrupted:
      return fmt::format("{} is interrupted{}", title, means);
    case StrategyEvent::InterruptionEnded:
      return fmt::format("The interruption is over and {} is being started again{}", title_of(troubled->strategy),
                         means);
    case StrategyEvent::Refused:
    case StrategyEvent::Unsupported:
      return fmt::format("{} could not be started and is tried again{}", title, means);
    case StrategyEvent::Expired:
    case StrategyEvent::Lost:
      return fmt::format("{} was lost and is being started again{}", title, means);
  }
  return {};
}

}  // namespace fermata::lifecycle
