#include "peer/keeper_host.hpp"

#include <algorithm>

#include "peer/words.hpp"

namespace fermata {
namespace {

constexpr Duration kCatchUpWithin = std::chrono::seconds(60);
constexpr const char* kPulsesKey = "pulses";

Gap::Wall wall_now() {
  return system_clock().wall_now();
}

bool same(const BackgroundSyncStatus& a, const BackgroundSyncStatus& b) {
  return a.is_on == b.is_on && a.app_state == b.app_state && a.syncing == b.syncing && a.holding == b.holding &&
         a.strategy == b.strategy && a.reason == b.reason && a.interruptions == b.interruptions &&
         a.recoveries == b.recoveries && a.conditions == b.conditions && a.pulse_period == b.pulse_period;
}

}  // namespace

void BackgroundSync::Impl::ensure_running() {
  const std::lock_guard lock(mutex);
  if (!running) {
    running = true;
    thread = std::thread([this] { run(); });
  }
}

void BackgroundSync::Impl::run() {
  ignore_broken_pipes();
  start_platform();
  while (!stopping) {
    turn();
    if (!stopping) inbox->wait(next_deadline());
  }
  platform.reset();
}

std::optional<Instant> BackgroundSync::Impl::next_deadline() const {
  std::optional<Instant> next;
  const auto give_up = pause_deadline ? std::optional(*pause_deadline + pause_extra) : std::nullopt;
  for (const auto& deadline : {keeper->next_deadline(), give_up, ledger.next_deadline()}) {
    if (deadline && (!next || *deadline < *next)) next = deadline;
  }
  return next;
}

void BackgroundSync::Impl::turn() {
  for (const auto& message : inbox->take()) {
    message();
    perform_all();
  }
  const Instant now = system_clock().now();
  keeper->on_deadline(now);
  perform_all();
  finish_pause_if_due(now);
  perform_all();
  if (ledger.next_deadline() && now >= *ledger.next_deadline()) {
    ledger.on_deadline(now);
    ledger_changed = true;
  }
  measure();
  if (std::exchange(ledger_changed, false)) save();
  publish();
}

void BackgroundSync::Impl::start_platform() {
  PlatformEvents events;
  // The platform may outlive us in a callback only until its destructor returns, on our own thread: `this` stays valid.
  events.on_app_state = [this](AppState state, std::optional<std::chrono::milliseconds> time_left) {
    const Instant told = system_clock().now();
    inbox->post([this, state, time_left, told] { keeper->set_app_state(state, time_left, told); });
  };
  events.on_strategy = [this](Strategy strategy, StrategyEvent event,
                              std::optional<std::chrono::milliseconds> time_left) {
    const Instant told = system_clock().now();
    const auto index = static_cast<std::size_t>(strategy);
    const std::uint64_t of = acquisition[index].load();
    inbox->post([=, this] {
      // What was queued before a release belongs to an acquisition that is over.
      if (of == acquisition[index].load()) keeper->strategy_event(strategy, event, time_left, told);
    });
  };
  events.on_conditions = [this](const Conditions& conditions) {
    const Instant told = system_clock().now();
    inbox->post([this, conditions, told] { keeper->set_conditions(conditions, told); });
  };
  platform->start(std::move(events));
  keeper.emplace(platform->strategies());
}

void BackgroundSync::Impl::perform_all() {
  while (const auto action = keeper->poll()) perform(*action);
}

void BackgroundSync::Impl::perform(const lifecycle::Action& action) {
  if (const auto* acquire = std::get_if<lifecycle::Acquire>(&action)) {
    platform->acquire(acquire->strategy);
  } else if (const auto* release = std::get_if<lifecycle::Release>(&action)) {
    platform->release(release->strategy);
    ++acquisition[static_cast<std::size_t>(release->strategy)];
  } else if (const auto* pulse = std::get_if<lifecycle::Pulse>(&action)) {
    platform->pulse(std::chrono::ceil<std::chrono::milliseconds>(pulse->length));
  } else if (const auto* pause = std::get_if<lifecycle::PauseSync>(&action)) {
    begin_pause(*pause);
  } else if (std::holds_alternative<lifecycle::ResumeSync>(action)) {
    resume_participants();
  } else if (const auto* seen = std::get_if<lifecycle::SuspensionSeen>(&action)) {
    suspension_seen(*seen);
  } else if (busy.empty()) {
    platform->ready_to_suspend();
  } else {
    ready_owed = true;  // said with a file open it would cost the process its life
  }
}

// The ledger is written before the databases close: if the process does not live to see its return, the gap is there.
void BackgroundSync::Impl::begin_pause(const lifecycle::PauseSync& order) {
  const Instant now = system_clock().now();
  std::uint64_t unsent = 0;
  {
    const std::lock_guard lock(participants_mutex);
    for (const SyncParticipant* participant : participants) unsent += participant->state().unsent;
  }
  // An app that is told to end is not kept from syncing.
  if (order.cause != GapCause::Ended) ledger.begin(order.cause, now, wall_now(), unsent);
  save();
  const std::lock_guard lock(participants_mutex);
  paused = true;
  ++pause_id;
  pause_deadline = order.deadline;
  // Who is late may still be done before the system acts. To say "ready" with a file locked would cost the process its
  // life; so half of the reserve is given away before that.
  pause_extra = std::min<Duration>(lifecycle::Keeper::kPauseReserve / 2, (order.deadline - now) / 6);
  last_order = {order.deadline, order.expected_return ? order.expected_return : ledger.expected_length(order.cause)};
  busy.assign(participants.begin(), participants.end());
  left_unsent = 0;
  for (SyncParticipant* participant : participants) pause_participant(*participant, last_order);
}

void BackgroundSync::Impl::pause_participant(SyncParticipant& participant, const PauseOrder& order) {
  participant.pause(order, [this, to = std::weak_ptr(inbox), id = pause_id, who = &participant](std::uint64_t unsent) {
    if (const auto mail = to.lock()) {
      mail->post([this, id, who, unsent] { participant_paused(id, who, unsent); });
    }
  });
}

void BackgroundSync::Impl::participant_paused(std::uint64_t id, const SyncParticipant* participant,
                                              std::uint64_t unsent) {
  if (id != pause_id || std::erase(busy, participant) == 0) return;
  left_unsent += unsent;
  if (busy.empty()) ledger.set_unsent(left_unsent);  // kept with the next change: the databases are closed
  say_ready_if_owed();
}

void BackgroundSync::Impl::participant_gone(const SyncParticipant& participant) {
  std::erase(busy, &participant);
  say_ready_if_owed();
}

void BackgroundSync::Impl::say_ready_if_owed() {
  if (busy.empty() && std::exchange(ready_owed, false)) platform->ready_to_suspend();
}

void BackgroundSync::Impl::finish_pause_if_due(Instant now) {
  if (pause_deadline && (busy.empty() || now >= *pause_deadline + pause_extra)) {
    pause_deadline.reset();
    keeper->sync_paused(now);
  }
}

void BackgroundSync::Impl::resume_participants() {
  {
    const std::lock_guard lock(participants_mutex);
    paused = ready_owed = false;
    busy.clear();
    ++pause_id;  // a late answer is to nobody
    for (SyncParticipant* participant : participants) participant->resume();
  }
  gap_ended = system_clock().now();
  ledger.end(*gap_ended);
  ledger_changed = true;
  refresh();
}

void BackgroundSync::Impl::suspension_seen(const lifecycle::SuspensionSeen& seen) {
  ledger.seen_suspension(seen.from, seen.to, wall_now());
  gap_ended = seen.to;
  ledger_changed = true;
  const std::lock_guard lock(participants_mutex);
  for (SyncParticipant* participant : participants) participant->woke();
}

// One who joins while sync is paused is paused too.
void BackgroundSync::Impl::participant_joined(SyncParticipant& participant) {
  const std::lock_guard lock(participants_mutex);
  if (std::find(participants.begin(), participants.end(), &participant) == participants.end()) return;
  if (!std::exchange(ledger_recalled, true)) recall_from(participant);
  if (!paused || std::find(busy.begin(), busy.end(), &participant) != busy.end()) return;
  PauseOrder order = last_order;
  if (pause_deadline) {
    busy.push_back(&participant);
  } else {
    order.deadline = system_clock().now() + lifecycle::Keeper::kPauseReserve;
  }
  pause_participant(participant, order);
}

// The first who joins brings what this process knew in its last life; a gap may be open since before.
void BackgroundSync::Impl::recall_from(SyncParticipant& participant) {
  ledger.precede_with(lifecycle::GapLedger::decode(participant.recall(kGapsKey), wall_now()));
  keeper->set_pulse_learner(lifecycle::PulseLearner::decode(participant.recall(kPulsesKey)));
  ledger_changed = true;
}

void BackgroundSync::Impl::save() {
  const std::string gaps = ledger.encode();
  const std::string pulses = keeper->pulse_learner().encode();
  {
    const std::lock_guard lock(participants_mutex);
    for (SyncParticipant* participant : participants) {
      participant->remember(kGapsKey, gaps);
      participant->remember(kPulsesKey, pulses);
    }
  }
  const std::lock_guard lock(mutex);
  known_gaps = ledger.gaps();
}

// A peer that comes much later brings news, but not because of the gap.
void BackgroundSync::Impl::note_catch_up(std::uint64_t documents, Duration duration) {
  if (!gap_ended || system_clock().now() - duration > *gap_ended + kCatchUpWithin) return;
  ledger.note_catch_up(documents, duration);
  ledger_changed = true;
}

void BackgroundSync::Impl::add_hold(std::uint64_t id, std::string reason) {
  holds.emplace(id, std::move(reason));
  refresh();
}

void BackgroundSync::Impl::drop_hold(std::uint64_t id) {
  holds.erase(id);
  refresh();
}

void BackgroundSync::Impl::refresh() {
  lifecycle::Demand demand;
  lifecycle::Presence presence;
  {
    const std::lock_guard lock(participants_mutex);
    for (const SyncParticipant* participant : participants) {
      const ParticipantState state = participant->state();
      demand.unsynced |= state.unsynced;
      demand.peers |= state.peers;
      presence.linked += state.links;
      presence.wanted |= state.wants_peers && !paused;
    }
  }
  demand.holds = holds.size();
  if (!holds.empty()) demand.hold_reason = holds.begin()->second;
  const Instant now = system_clock().now();
  keeper->set_demand(demand, now);
  const bool was_open = ledger.is_open();
  ledger.set_presence(presence, now, wall_now());
  if (was_open && !ledger.is_open()) {
    gap_ended = now;
    ledger_changed = true;
  }
}

// Sampled when what is held changes: the counters in between belong to one strategy.
void BackgroundSync::Impl::measure() {
  if (keeper->holding() != metered) take_sample();
}

void BackgroundSync::Impl::take_sample() {
  metered = keeper->holding();
  if (const auto reading = platform->cost()) meter.sample(*reading, metered, system_clock().now());
}

void BackgroundSync::Impl::publish() {
  const BackgroundSyncStatus next = keeper->status();
  std::unique_lock lock(mutex);
  const bool tell = observer && (observer_is_new || !same(next, current));
  current = next;
  if (tell) tell_observer(lock, next);
}

void BackgroundSync::Impl::tell_observer(std::unique_lock<std::mutex>& lock, const BackgroundSyncStatus& next) {
  auto told = observer;
  observer_is_new = false;
  observer_running = true;
  lock.unlock();
  (*told)(next);
  told.reset();
  lock.lock();
  observer_running = false;
  observer_done.notify_all();
}

}  // namespace fermata
