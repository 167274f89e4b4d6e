#include "lifecycle/keeper.hpp"

#include <algorithm>

namespace fermata::lifecycle {

Keeper::Keeper(std::vector<Strategy> ladder) : offered_(std::move(ladder)) {
  for (const Strategy strategy : offered_) {
    if (strategy == Strategy::TaskAssertion) {
      bridge_ = Slot{.strategy = strategy};
    } else if (!slot_of(strategy)) {
      primaries_.push_back(Slot{.strategy = strategy});
    }
  }
}

Slot* Keeper::slot_of(Strategy strategy) {
  if (strategy == Strategy::TaskAssertion) {
    return bridge_ ? &*bridge_ : nullptr;
  }
  const auto found =
      std::find_if(primaries_.begin(), primaries_.end(), [=](const Slot& slot) { return slot.strategy == strategy; });
  return found == primaries_.end() ? nullptr : &*found;
}

void Keeper::set_intent(bool on, Instant now) {
  notice(now);
  const bool was_wanted = wanted();
  on_ = on;
  reconsider(was_wanted, now);
}

void Keeper::set_options(const BackgroundSyncOptions& options, Instant now) {
  notice(now);
  const bool was_wanted = wanted();
  options_ = options;
  arrange_ladder();
  reconsider(was_wanted, now);
}

void Keeper::arrange_ladder() {
  const auto& order = options_.ladder.empty() ? offered_ : options_.ladder;
  const auto rank = [&](const Slot& slot) { return std::find(order.begin(), order.end(), slot.strategy); };
  std::stable_sort(primaries_.begin(), primaries_.end(),
                   [&](const Slot& a, const Slot& b) { return rank(a) < rank(b); });
  for (Slot& slot : primaries_) {
    slot.allowed = rank(slot) != order.end();
  }
  if (bridge_) {
    bridge_->allowed = rank(*bridge_) != order.end();
  }
}

void Keeper::set_app_state(AppState state, std::optional<Duration> time_left, Instant now) {
  notice(now);
  const bool was_wanted = wanted();
  const bool was_in_background = in_background();
  const bool leaves = state == AppState::Background && state_ != AppState::Background;
  state_ = state;
  grace_ = in_background() ? time_left : std::nullopt;
  suspend_ = grace_ ? std::optional(end_in(*grace_, now)) : std::nullopt;
  if (in_background() != was_in_background) {
    bridge_spent_ = false;
  }
  if (state == AppState::Foreground) {
    std::for_each(primaries_.begin(), primaries_.end(), [](Slot& slot) { slot.supported = true; });
  }
  if (leaves && grace_) {
    learner_.set_grace(*grace_);
  }
  if (leaves && pulse_due_) {
    pulse_due_ = now;
  }
  reconsider(was_wanted, now);
  // A machine that goes to sleep asks anew, although the app has been paused for long.
  const bool asks = state == AppState::Suspended || state == AppState::Terminating;
  if (asks && sync_ == Sync::Paused) {
    actions_.emplace_back(ReadyToSuspend{});
  }
}

void Keeper::set_demand(const Demand& demand, Instant now) {
  notice(now);
  const bool one_more = demand.holds > latest_demand_.holds;
  const bool was_wanted = wanted() && !one_more;
  latest_demand_ = demand;
  reconsider(was_wanted, now);
}

void Keeper::set_conditions(const Conditions& conditions, Instant now) {
  notice(now);
  const bool was_wanted = wanted();
  conditions_ = conditions;
  reconsider(was_wanted, now);
}

void Keeper::set_pulse_learner(const PulseLearner& learner) {
  learner_ = learner;
  if (grace_) {
    learner_.set_grace(*grace_);
  }
}

void Keeper::strategy_event(Strategy strategy, StrategyEvent event, std::optional<Duration> time_left, Instant now) {
  notice(now);
  Slot* slot = slot_of(strategy);
  if (slot && slot->acquired) {
    if (strategy == Strategy::TaskAssertion) {
      bridge_event(event, time_left, now);
    } else {
      primary_event(*slot, event, time_left, now);
    }
  }
  reconcile(now);
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
  notice(now);
  reconcile(now);
}

// Called before anything else: whether we were woken in time tells whether the process ran.
void Keeper::notice(Instant now) {
  if (state_ == AppState::Background && sync_ == Sync::Running && expected_ && now > *expected_ + kLate) {
    suspension_seen(*expected_, now);
  }
}

// Nothing is tried by itself while sync is paused in the background; becoming wanted anew is a reason to.
void Keeper::reconsider(bool was_wanted, Instant now) {
  trying_ = trying_ || (sync_ == Sync::Paused && wanted() && !was_wanted);
  reconcile(now);
}

void Keeper::reconcile(Instant now) {
  if (sync_ == Sync::Running) {
    demand_ = latest_demand_;
  }
  if (unverified_) {
    verify(now);
  }
  steer_primaries(now);
  steer_bridge(now);
  const Sync before = sync_;
  steer_sync(now);
  if (before == Sync::Paused && sync_ == Sync::Running) {
    reconcile(now);  // what was told about demand meanwhile counts now
    return;
  }
  steer_pulses(now);
  seen_ = std::max(seen_, now);
  // While something is being acquired our owner may be busy with it, which is no suspension.
  const bool busy = std::any_of(primaries_.begin(), primaries_.end(),
                                [this](const Slot& slot) { return slot.phase == Phase::Acquiring && waits(slot); });
  expected_ = busy ? std::nullopt : next_deadline();
}

bool Keeper::in_background() const {
  return state_ != AppState::Foreground && state_ != AppState::Inactive;
}

bool Keeper::demanded() const {
  if (latest_demand_.holds > 0) {
    return true;
  }
  switch (options_.mode) {
    case BackgroundMode::WhilePeersConnected:
      return demand_.unsynced || demand_.peers;
    case BackgroundMode::WhileUnsynced:
      return demand_.unsynced;
    case BackgroundMode::Always:
      return true;
  }
  return false;
}

Keeper::Objection Keeper::objection() const {
  if (!conditions_.protected_data_available) {
    return Objection::FilesLocked;
  }
  if (conditions_.low_power && !options_.hold_in_low_power) {
    return Objection::LowPower;
  }
  if (conditions_.battery_percent && *conditions_.battery_percent < options_.hold_above_battery_percent) {
    return Objection::Battery;
  }
  if (conditions_.metered && !options_.hold_on_metered) {
    return Objection::Metered;
  }
  return Objection::None;
}

bool Keeper::wanted() const {
  return on_ && demanded() && objection() == Objection::None &&
         (state_ == AppState::Inactive || state_ == AppState::Background);
}

std::optional<Instant> Keeper::next_deadline() const {
  std::optional<Instant> next = pause_due();
  const auto consider = [&next](Instant due) { next = std::min(next.value_or(due), due); };
  const std::size_t reached = wanted() ? reach() : 0;
  for (std::size_t i = 0; i < reached; ++i) {
    const Slot& slot = primaries_[i];
    if (slot.usable() && waits(slot)) {
      consider(slot.due);
    } else if (slot.usable() && slot.phase == Phase::Held && slot.end) {
      consider(slot.end->pause_at);
    }
  }
  if (pulse_due_ && state_ == AppState::Background) {
    consider(*pulse_due_);
  }
  if (state_ == AppState::Background && sync_ == Sync::Running && held_primary()) {
    consider(seen_ + kWatch);
  }
  return next;
}

}  // namespace fermata::lifecycle
