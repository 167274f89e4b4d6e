// Whether sync runs, when it must be paused, and what to do after a span in which nobody ran.
#include <algorithm>

#include "lifecycle/keeper.hpp"

namespace fermata::lifecycle {

void Keeper::steer_sync(Instant now) {
  const bool safe = !in_background() || (wanted() && held_primary());
  if (sync_ == Sync::Paused && safe) {
    sync_ = Sync::Running;
    trying_ = false;
    actions_.emplace_back(ResumeSync{});
  } else if (sync_ == Sync::Running) {
    const auto due = pause_due();
    if (due && now >= *due) {
      pause(now);
    }
  }
}

void Keeper::pause(Instant now) {
  const auto end = run_until();
  // Past every known end, or with none, try all the same.
  Duration span = end && end->at > now ? end->at - now : kPauseReserve;
  // What is held is let go only afterwards. Whoever no longer wants it should not keep it long.
  if (state_ == AppState::Background && !wanted()) {
    span = std::min(span, kPauseReserve);
  }
  sync_ = Sync::Pausing;
  paused_for_ = cause_of_pause();
  actions_.emplace_back(PauseSync{now + span - std::min(kPauseReserve, span / 4), paused_for_, std::nullopt});
}

void Keeper::suspension_seen(Instant from, Instant to) {
  actions_.emplace_back(SuspensionSeen{from, to});
  unverified_ = true;
  const Slot* held = held_primary();
  if (!held) {
    return;
  }
  Slot& slot = *slot_of(held->strategy);
  if (slot.strategy == Strategy::PulsedAudio) {
    learner_.suspended();
    slot.effective = !learner_.exhausted();
    return;
  }
  slot.effective = !slot.struck || from - *slot.struck > kStrikeMemory;
  slot.struck = to;
}

// After a suspension no flag is trusted: a call may have begun and ended unheard, and whatever exempted us is in doubt.
void Keeper::verify(Instant now) {
  unverified_ = false;
  if (!wanted()) {
    return;
  }
  restart_grace(now);
  for (Slot& slot : primaries_) {
    if (slot.usable() && slot.acquired) {
      slot.trouble = StrategyEvent::Lost;
      acquire(slot, now);
    }
  }
  bridge_spent_ = false;
  if (bridge_) {
    release(*bridge_);
  }
}

bool Keeper::may_let_go(Instant now) const {
  if (!in_background() || sync_ == Sync::Paused || (wanted() && held_primary())) {
    return true;
  }
  return state_ == AppState::Background && sync_ == Sync::Running && (!suspend_ || now < suspend_->pause_at);
}

std::optional<End> Keeper::run_until() const {
  const bool longer = bridge_ && bridge_->end && (!suspend_ || bridge_->end->at > suspend_->at);
  return longer ? bridge_->end : suspend_;
}

// When sync must begin to pause, as things stand.
std::optional<Instant> Keeper::pause_due() const {
  if (sync_ != Sync::Running || !in_background()) {
    return std::nullopt;
  }
  if (state_ != AppState::Background) {
    return Instant::min();
  }
  if (wanted() && held_primary()) {
    return std::nullopt;
  }
  if (wanted() && bridge_ && bridge_->phase == Phase::Ending) {
    return Instant::min();
  }
  if (wanted() && bridge_ && bridge_->phase == Phase::Held && !bridge_->end) {
    return std::nullopt;
  }
  const auto end = wanted() ? run_until() : suspend_;
  return end ? std::optional(end->pause_at) : std::nullopt;
}

GapCause Keeper::cause_of_pause() const {
  if (state_ != AppState::Background) {
    return state_ == AppState::Terminating ? GapCause::Ended : GapCause::Suspended;
  }
  if (!on_) {
    return GapCause::Off;
  }
  if (objection() != Objection::None) {
    return GapCause::Conditions;
  }
  if (!demanded()) {
    return GapCause::NoDemand;
  }
  const auto any_in = [this](auto... troubles) {
    return std::any_of(primaries_.begin(), primaries_.end(),
                       [&](const Slot& slot) { return slot.usable() && ((slot.trouble == troubles) || ...); });
  };
  if (any_in(StrategyEvent::Interrupted, StrategyEvent::InterruptionEnded)) {
    return GapCause::Interrupted;
  }
  if (any_in(StrategyEvent::Expired)) {
    return GapCause::Expired;
  }
  if (any_in(StrategyEvent::Refused, StrategyEvent::Lost)) {
    return GapCause::Refused;
  }
  return bridge_ && bridge_->acquired ? GapCause::Expired : GapCause::Refused;
}

}  // namespace fermata::lifecycle
