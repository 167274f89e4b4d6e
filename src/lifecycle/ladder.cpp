// What the keeper acquires and releases: the ladder, the bridge below it, and pulses.
#include <algorithm>

#include "lifecycle/keeper.hpp"

namespace fermata::lifecycle {
namespace {

bool uses_audio_session(const Slot& slot) {
  return slot.strategy == Strategy::SilentAudio || slot.strategy == Strategy::PulsedAudio;
}

}  // namespace

void Keeper::primary_event(Slot& slot, StrategyEvent event, std::optional<Duration> time_left, Instant now) {
  switch (event) {
    case StrategyEvent::Held:
      slot.phase = Phase::Held;
      slot.end = time_left ? std::optional(end_in(*time_left, now)) : std::nullopt;
      slot.forget();
      bridge_spent_ = false;
      recoveries_ += outage_ ? 1 : 0;
      outage_ = false;
      return;
    case StrategyEvent::Interrupted:
      primary_interrupted(slot, now);
      return;
    case StrategyEvent::InterruptionEnded:
      if (slot.phase == Phase::Interrupted) {
        slot.phase = Phase::Waiting;
        slot.due = now + kRetryDelay;
        slot.trouble = event;
      }
      return;
    case StrategyEvent::Unsupported:
      slot.supported = false;
      primary_failed(slot, event, time_left, now);
      slot.forget();
      return;
    case StrategyEvent::Refused:
    case StrategyEvent::Expired:
    case StrategyEvent::Lost:
      primary_failed(slot, event, time_left, now);
      return;
  }
}

void Keeper::primary_interrupted(Slot& slot, Instant now) {
  if (slot.phase == Phase::Held) {
    restart_grace(now);
  }
  slot.phase = Phase::Interrupted;
  slot.due = now + kMaxRetryDelay;
  slot.end.reset();
  slot.trouble = StrategyEvent::Interrupted;
  if (!held_primary()) {
    note_interruption();
  }
}

void Keeper::primary_failed(Slot& slot, StrategyEvent event, std::optional<Duration> time_left, Instant now) {
  if (slot.phase == Phase::Held) {
    note_interruption();
    restart_grace(now);
    if (!grace_ && time_left) {
      suspend_ = end_in(*time_left, now);  // no grace was ever named, but here is an end
    }
  }
  release(slot);
  wait_longer(slot, now);
  slot.trouble = event;
}

// Losing what exempted us from suspension starts the system's grace anew.
void Keeper::restart_grace(Instant now) {
  if (grace_) {
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

void Keeper::steer_primaries(Instant now) {
  if (wanted()) {
    climb(now);
    settle_while_paused();
    return;
  }
  trying_ = false;
  if (may_let_go(now)) {
    for (Slot& slot : primaries_) {
      release(slot);
      slot.forget();
    }
    outage_ = false;
  }
}

// From the best downwards, until one is held or may still be had.
void Keeper::climb(Instant now) {
  bool decided = false;
  for (Slot& slot : primaries_) {
    if (!slot.usable()) {
      drop(slot, now);
    } else if (!decided) {
      steer_slot(slot, now);
      decided = slot.decides();
    } else if (const Slot* held = held_primary(); held && held < &slot) {
      release(slot);
      slot.forget();
    }
  }
}

// It is on the ladder no more.
void Keeper::drop(Slot& slot, Instant now) {
  if (slot.phase == Phase::Held && !held_primary()) {
    restart_grace(now);
  }
  release(slot);
  slot.forget();
}

void Keeper::steer_slot(Slot& slot, Instant now) {
  if (slot.phase == Phase::Idle) {
    if ((sync_ != Sync::Paused || trying_) && !session_taken(slot)) {
      acquire(slot, now);
    }
  } else if (slot.phase == Phase::Held && slot.end && now >= slot.end->pause_at) {
    primary_failed(slot, StrategyEvent::Expired, slot.end->at - now, now);
  } else if (waits(slot) && now >= slot.due) {
    retry(slot, now);
  }
}

void Keeper::retry(Slot& slot, Instant now) {
  if (slot.phase == Phase::Acquiring) {
    slot.trouble = StrategyEvent::Refused;  // slow: the next one may try
  } else if (slot.acquired || !session_taken(slot)) {
    acquire(slot, now);
  } else {
    wait_longer(slot, now);
  }
}

// While only the bridge keeps us running there is no time for long waits.
void Keeper::wait_longer(Slot& slot, Instant now) {
  const bool bridged = bridge_ && bridge_->acquired;
  slot.phase = Phase::Waiting;
  slot.due = now + std::min(slot.retry_delay, bridged ? kBridgedRetryDelay : kMaxRetryDelay);
  slot.retry_delay = std::min(slot.retry_delay * 2, kMaxRetryDelay);
}

// We are about to be suspended: once everything has failed, no further attempt.
void Keeper::settle_while_paused() {
  if (sync_ != Sync::Paused) {
    return;
  }
  trying_ = trying_ && std::any_of(primaries_.begin(), primaries_.end(), [](const Slot& slot) {
              return slot.usable() && slot.acquired && slot.phase != Phase::Interrupted;
            });
  for (Slot& slot : primaries_) {
    if (!trying_ && slot.phase == Phase::Waiting && !slot.acquired) {
      slot.phase = Phase::Idle;
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

void Keeper::steer_pulses(Instant now) {
  if (!pulsing()) {
    if (pulse_due_) {
      learner_.rest();
    }
    pulse_due_.reset();
  } else if (!pulse_due_ || (state_ == AppState::Background && now >= *pulse_due_)) {
    learner_.pulsed(now);
    actions_.emplace_back(Pulse{learner_.length()});
    pulse_due_ = now + learner_.period();
  }
}

void Keeper::acquire(Slot& slot, Instant now) {
  release(slot);
  slot.acquired = true;
  slot.phase = Phase::Acquiring;
  slot.due = now + kRetryDelay;
  trying_ = trying_ || sync_ == Sync::Paused;
  actions_.emplace_back(Acquire{slot.strategy});
}

void Keeper::release(Slot& slot) {
  if (slot.acquired) {
    actions_.emplace_back(Release{slot.strategy});
  }
  slot.acquired = false;
  slot.phase = Phase::Idle;
  slot.end.reset();
}

const Slot* Keeper::held_primary() const {
  const auto held = std::find_if(primaries_.begin(), primaries_.end(),
                                 [](const Slot& slot) { return slot.usable() && slot.phase == Phase::Held; });
  return held == primaries_.end() ? nullptr : &*held;
}

std::size_t Keeper::reach() const {
  const auto last = std::find_if(primaries_.begin(), primaries_.end(),
                                 [](const Slot& slot) { return slot.usable() && slot.decides(); });
  const auto count = static_cast<std::size_t>(last - primaries_.begin());
  return std::min(count + 1, primaries_.size());
}

// Whether `due` is a deadline.
bool Keeper::waits(const Slot& slot) const {
  switch (slot.phase) {
    case Phase::Acquiring:
      return !slot.troubled() || slot.after_interruption();
    case Phase::Interrupted:
      return sync_ != Sync::Paused;
    case Phase::Waiting:
      return slot.acquired || sync_ != Sync::Paused;
    case Phase::Idle:
    case Phase::Held:
    case Phase::Ending:
      return false;
  }
  return false;
}

// A call takes the audio session, whichever of the two plays on it; and that one is the first to try after the call.
bool Keeper::session_taken(const Slot& slot) const {
  return uses_audio_session(slot) && std::any_of(primaries_.begin(), primaries_.end(), [&](const Slot& other) {
           return &other != &slot && uses_audio_session(other) && other.after_interruption();
         });
}

bool Keeper::bridge_wanted() const {
  if (!bridge_->allowed || !wanted() || state_ != AppState::Background || sync_ == Sync::Paused || held_primary()) {
    return false;
  }
  const auto usable = [](const Slot& slot) { return slot.usable(); };
  const auto troubled = [](const Slot& slot) { return slot.usable() && slot.troubled(); };
  return std::none_of(primaries_.begin(), primaries_.end(), usable) ||
         std::any_of(primaries_.begin(), primaries_.end(), troubled);
}

// Until it is released, also while sync is being paused: the system must not be faster.
bool Keeper::pulsing() const {
  return (state_ == AppState::Inactive || state_ == AppState::Background) &&
         std::any_of(primaries_.begin(), primaries_.end(), [](const Slot& slot) {
           return slot.strategy == Strategy::PulsedAudio && slot.phase == Phase::Held;
         });
}

}  // namespace fermata::lifecycle
