#include "lifecycle/keeper.hpp"

#include <algorithm>

namespace fermata::lifecycle {

Keeper::Keeper(std::vector<Strategy> ladder) {
  for (const Strategy strategy : ladder) {
    auto& slot = strategy == Strategy::TaskAssertion ? bridge_ : audio_;
    slot = Slot{.strategy = strategy};
  }
}

Keeper::End Keeper::end_in(Duration left, Instant now) {
  const Duration span = std::max(left, Duration::zero());
  return {now + span, now + span - std::min(kPauseReserve, span / 4)};
}

void Keeper::set_intent(bool on, Instant now) {
  const bool switched_on = on && !on_;
  on_ = on;
  // Nothing is tried by itself while sync is paused in the background; being asked anew is a reason to.
  if (switched_on && sync_ == Sync::Paused && wanted() && audio_ && audio_->phase == Phase::Idle) {
    acquire(*audio_, now);
  }
  reconcile(now);
}

void Keeper::set_app_state(AppState state, std::optional<Duration> time_left, Instant now) {
  const bool was_in_background = in_background();
  state_ = state;
  grace_ = in_background() ? time_left : std::nullopt;
  suspend_ = grace_ ? std::optional(end_in(*grace_, now)) : std::nullopt;
  if (in_background() != was_in_background) {
    bridge_spent_ = false;
  }
  reconcile(now);
}

void Keeper::set_demand(bool demand, Instant now) {
  latest_demand_ = demand;
  reconcile(now);
}

void Keeper::strategy_event(Strategy strategy, StrategyEvent event, std::optional<Duration> time_left, Instant now) {
  auto& slot = strategy == Strategy::TaskAssertion ? bridge_ : audio_;
  if (!slot || !slot->acquired) {
    return;
  }
  if (strategy == Strategy::TaskAssertion) {
    bridge_event(event, time_left, now);
  } else {
    audio_event(event, now);
  }
  reconcile(now);
}

void Keeper::audio_event(StrategyEvent event, Instant now) {
  switch (event) {
    case StrategyEvent::Held:
      audio_->phase = Phase::Held;
      trouble_ = StrategyEvent::Held;
      retry_delay_ = kRetryDelay;
      bridge_spent_ = false;
      recoveries_ += outage_ ? 1 : 0;
      outage_ = false;
      return;
    case StrategyEvent::Interrupted:
      note_interruption();
      audio_failed(now);
      audio_->phase = Phase::Interrupted;
      audio_->due = now + kMaxRetryDelay;
      trouble_ = event;
      return;
    case StrategyEvent::InterruptionEnded:
      if (audio_->phase == Phase::Interrupted) {
        audio_->phase = Phase::Waiting;
        audio_->due = now + kRetryDelay;
        trouble_ = event;
      }
      return;
    case StrategyEvent::Refused:
    case StrategyEvent::Unsupported:
    case StrategyEvent::Expired:
    case StrategyEvent::Lost:
      if (audio_held()) {
        note_interruption();
      }
      audio_failed(now);
      release(*audio_);
      audio_->phase = Phase::Waiting;
      audio_->due = now + retry_delay_;
      retry_delay_ = std::min(retry_delay_ * 2, kMaxRetryDelay);
      trouble_ = event;
      return;
  }
}

// Losing what exempted us from suspension starts the system's grace anew.
void Keeper::audio_failed(Instant now) {
  if (audio_held() && grace_) {
    suspend_ = end_in(*grace_, now);
  }
}

void Keeper::note_interruption() {
  if (!outage_ && wanted()) {
    outage_ = true;
    ++interruptions_;
  }
}

void Keeper::bridge_event(StrategyEvent event, std::optional<Duration> time_left, Instant now) {
  switch (event) {
    case StrategyEvent::Held:
      if (bridge_->phase == Phase::Ending) {
        return;
      }
      bridge_->phase = Phase::Held;
      bridge_->end = time_left ? std::optional(end_in(*time_left, now)) : std::nullopt;
      return;
    case StrategyEvent::Expired:
      bridge_spent_ = true;
      bridge_->phase = Phase::Ending;
      bridge_->end = end_in(time_left.value_or(Duration::zero()), now);
      return;
    case StrategyEvent::Refused:
    case StrategyEvent::Unsupported:
    case StrategyEvent::Lost:
      bridge_spent_ = true;
      release(*bridge_);
      return;
    case StrategyEvent::Interrupted:
    case StrategyEvent::InterruptionEnded:
      return;  // an assertion is not lent out
  }
}

void Keeper::sync_paused(Instant now) {
  if (sync_ != Sync::Pausing) {
    return;
  }
  sync_ = Sync::Paused;
  reconcile(now);
  if (sync_ == Sync::Paused) {
    actions_.emplace_back(ReadyToSuspend{});
  }
}

std::optional<Action> Keeper::poll() {
  if (actions_.empty()) {
    return std::nullopt;
  }
  const Action action = actions_.front();
  actions_.pop_front();
  return action;
}

void Keeper::on_deadline(Instant now) {
  reconcile(now);
}

void Keeper::reconcile(Instant now) {
  if (sync_ == Sync::Running) {
    demand_ = latest_demand_;
  }
  steer_audio(now);
  steer_bridge(now);
  const Sync before = sync_;
  steer_sync(now);
  if (before == Sync::Paused && sync_ == Sync::Running) {
    reconcile(now);  // what was told about demand meanwhile counts now
  }
}

void Keeper::steer_audio(Instant now) {
  if (!audio_) {
    return;
  }
  if (!wanted()) {
    if (may_let_go(now)) {
      release(*audio_);
      trouble_ = StrategyEvent::Held;
      retry_delay_ = kRetryDelay;
      outage_ = false;
    }
    return;
  }
  if (audio_->phase == Phase::Idle && sync_ != Sync::Paused) {
    acquire(*audio_, now);
  } else if (audio_->phase == Phase::Waiting && !audio_->acquired && sync_ == Sync::Paused) {
    release(*audio_);  // we are about to be suspended: no further attempt
  } else if (waits_for_audio() && now >= audio_->due) {
    if (audio_->phase == Phase::Acquiring) {
      trouble_ = StrategyEvent::Refused;
    } else {
      acquire(*audio_, now);
    }
  }
}

void Keeper::steer_bridge(Instant now) {
  if (!bridge_) {
    return;
  }
  if (bridge_wanted()) {
    if (!bridge_->acquired && sync_ == Sync::Running && !bridge_spent_) {
      acquire(*bridge_, now);
    }
  } else if (may_let_go(now)) {
    release(*bridge_);
  }
}

void Keeper::steer_sync(Instant now) {
  const bool safe = !in_background() || (wanted() && audio_held());
  if (sync_ == Sync::Paused && safe) {
    sync_ = Sync::Running;
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
  actions_.emplace_back(PauseSync{now + span - std::min(kPauseReserve, span / 4)});
}

void Keeper::acquire(Slot& slot, Instant now) {
  release(slot);
  slot.acquired = true;
  slot.phase = Phase::Acquiring;
  slot.due = now + kRetryDelay;
  actions_.emplace_back(Acquire{slot.strategy});
}

void Keeper::release(Slot& slot) {
  if (slot.acquired) {
    actions_.emplace_back(Release{slot.strategy});
  }
  slot = Slot{.strategy = slot.strategy};
}

bool Keeper::in_background() const {
  return state_ != AppState::Foreground && state_ != AppState::Inactive;
}

bool Keeper::wanted() const {
  return on_ && demand_ && (state_ == AppState::Inactive || state_ == AppState::Background);
}

bool Keeper::audio_held() const {
  return audio_ && audio_->phase == Phase::Held;
}

bool Keeper::bridge_wanted() const {
  return wanted() && state_ == AppState::Background && sync_ != Sync::Paused && !audio_held() &&
         (!audio_ || trouble_ != StrategyEvent::Held);
}

bool Keeper::may_let_go(Instant now) const {
  if (!in_background() || sync_ == Sync::Paused || (wanted() && audio_held())) {
    return true;
  }
  return state_ == AppState::Background && sync_ == Sync::Running && (!suspend_ || now < suspend_->pause_at);
}

bool Keeper::waits_for_audio() const {
  if (!audio_ || !wanted()) {
    return false;
  }
  switch (audio_->phase) {
    case Phase::Acquiring:
      return trouble_ == StrategyEvent::Held;
    case Phase::Interrupted:
      return sync_ != Sync::Paused;
    case Phase::Waiting:
      return true;
    case Phase::Idle:
    case Phase::Held:
    case Phase::Ending:
      return false;
  }
  return false;
}

std::optional<Keeper::End> Keeper::run_until() const {
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
  if (wanted() && audio_held()) {
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

std::optional<Instant> Keeper::next_deadline() const {
  std::optional<Instant> next = pause_due();
  if (waits_for_audio() && (!next || audio_->due < *next)) {
    next = audio_->due;
  }
  return next;
}

}  // namespace fermata::lifecycle
