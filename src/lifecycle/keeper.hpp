// The reconciler behind BackgroundSync: (intent, app state, demand, conditions, strategy events) in, actions out. Pure
// and serialised, so a late pause can never beat a newer resume. No clock, no thread, no system call.
//
// The rules, in order:
//  - Foreground: sync runs, nothing is held.
//  - "Wanted": on, demanded, and no condition asks to let go; in Inactive or Background.
//  - Inactive: sync runs. Wanted: the best strategy is acquired already, because it must be active before the system
//    suspends us.
//  - Background, wanted: hold the best strategy of the ladder that can be had. When it is interrupted, refused, lost,
//    expired or slow, the next one is acquired at once and the better one is tried again: kRetryDelay after an
//    interruption ended, after anything else with a delay that doubles up to kMaxRetryDelay (kBridgedRetryDelay inside
//    the bridge). When a better one is held again, those below are released. An interruption whose end is never told is
//    probed every kMaxRetryDelay. What is Unsupported is passed over until the app has been in the foreground.
//  - An interruption takes the audio session, so SilentAudio and PulsedAudio do not stand in for each other then.
//  - TaskAssertion is the bridge, wherever it stands on the ladder: held while something better is in trouble and
//    nothing better is held, or when there is nothing better; at most once between two holds of something better.
//  - Background otherwise, or when the bridge is about to end, and always when Suspended or Terminating: pause sync in
//    time (kPauseReserve before the end), then let go, then say ReadyToSuspend.
//  - Sync paused in the background resumes on Foreground or Inactive, or when a strategy is held again. By itself it
//    tries only when an interruption ends; it tries the ladder once whenever it becomes wanted anew.
//  - Every Acquire is matched by one Release before the next Acquire of that strategy; trying again is both.
//  - A system that names no time left does not suspend us: sync is not paused for it.
//  - While sync runs in the background every deadline is kept within kLate, or else the process did not run: that is
//    said with SuspensionSeen, and what is held is acquired anew. A strategy that was held and did not prevent it twice
//    within kStrikeMemory is not used again in this process. While something is held there is a deadline at least every
//    kWatch, so that such a jump is seen.
//  - PulsedAudio, while held, is told when to be heard, and for how long; a PulseLearner finds out.
#pragma once

#include <deque>
#include <fermata/background_sync.hpp>
#include <optional>
#include <variant>
#include <vector>

#include "base/time.hpp"
#include "lifecycle/pulse_learner.hpp"
#include "lifecycle/slot.hpp"

namespace fermata::lifecycle {

struct Acquire {
  Strategy strategy;
};
struct Release {
  Strategy strategy;
};
// PulsedAudio, which is held, shall be heard for that long.
struct Pulse {
  Duration length;
};
// Flush, say goodbye, close, quiesce; report with sync_paused() by `deadline`.
struct PauseSync {
  Instant deadline;
  GapCause cause;
  std::optional<Duration> expected_return;  // left to whoever has a GapLedger
};
struct ResumeSync {};
struct ReadyToSuspend {};
// The process did not run between these, although nobody had said so. `from` is the first moment at which it should
// have run and did not. Sockets may be dead.
struct SuspensionSeen {
  Instant from;
  Instant to;
};
using Action = std::variant<Acquire, Release, Pulse, PauseSync, ResumeSync, ReadyToSuspend, SuspensionSeen>;

// What there is to stay awake for. BackgroundMode decides what counts.
struct Demand {
  bool unsynced = false;  // something is unsent, or not yet received
  bool peers = false;     // a peer is connected, or was 30 s ago
  std::size_t holds = 0;  // needs that the app has declared
  std::string hold_reason;
};

// Not thread-safe; one owner. After each call: perform every action of poll(), in order, before the next call.
class Keeper {
 public:
  // Time kept for pausing before the system acts; a quarter of the span left if that is less.
  static constexpr Duration kPauseReserve = lifecycle::kPauseReserve;
  static constexpr Duration kRetryDelay = lifecycle::kRetryDelay;
  static constexpr Duration kMaxRetryDelay = std::chrono::seconds(30);
  static constexpr Duration kBridgedRetryDelay = std::chrono::seconds(4);  // at most, inside the bridge
  static constexpr Duration kLate = std::chrono::milliseconds(1500);
  static constexpr Duration kWatch = std::chrono::seconds(60);
  static constexpr Duration kStrikeMemory = std::chrono::hours(1);

  explicit Keeper(std::vector<Strategy> ladder);  // what the platform offers, best first

  void set_intent(bool on, Instant now);
  // Taken to heart at once: what options.ladder leaves out is released.
  void set_options(const BackgroundSyncOptions& options, Instant now);
  void set_app_state(AppState state, std::optional<Duration> time_left, Instant now);
  // `unsynced` and `peers` are looked at only while sync runs: what is paused cannot tell what it wants. `holds` count
  // always, and one more is a reason to try anew.
  void set_demand(const Demand& demand, Instant now);
  void set_conditions(const Conditions& conditions, Instant now);
  // Events of a strategy that is not acquired are ignored.
  void strategy_event(Strategy strategy, StrategyEvent event, std::optional<Duration> time_left, Instant now);
  void sync_paused(Instant now);  // the last PauseSync is done

  [[nodiscard]] std::optional<Action> poll();
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  void on_deadline(Instant now);
  [[nodiscard]] BackgroundSyncStatus status() const;
  [[nodiscard]] std::optional<Strategy> holding() const;  // what keeps us from being suspended

  // What was learned about pulses; to be kept beyond the process, and given back to the next.
  [[nodiscard]] const PulseLearner& pulse_learner() const { return learner_; }
  void set_pulse_learner(const PulseLearner& learner);

 private:
  enum class Sync : std::uint8_t { Running, Pausing, Paused };

  // Why to let go although there is demand.
  enum class Objection : std::uint8_t { None, FilesLocked, LowPower, Battery, Metered };

  // keeper.cpp: what is told, and when to act
  void notice(Instant now);
  void reconsider(bool was_wanted, Instant now);
  void reconcile(Instant now);
  void arrange_ladder();
  [[nodiscard]] Slot* slot_of(Strategy strategy);
  [[nodiscard]] bool in_background() const;  // where the system may suspend us
  [[nodiscard]] bool demanded() const;
  [[nodiscard]] Objection objection() const;
  [[nodiscard]] bool wanted() const;

  // ladder.cpp: what is acquired and released
  void primary_event(Slot& slot, StrategyEvent event, std::optional<Duration> time_left, Instant now);
  void primary_interrupted(Slot& slot, Instant now);
  void primary_failed(Slot& slot, StrategyEvent event, std::optional<Duration> time_left, Instant now);
  void bridge_event(StrategyEvent event, std::optional<Duration> time_left, Instant now);
  void restart_grace(Instant now);
  void note_interruption();
  void steer_primaries(Instant now);
  void climb(Instant now);
  void steer_slot(Slot& slot, Instant now);
  void retry(Slot& slot, Instant now);
  void wait_longer(Slot& slot, Instant now);
  void settle_while_paused();
  void steer_bridge(Instant now);
  void steer_pulses(Instant now);
  void drop(Slot& slot, Instant now);
  void acquire(Slot& slot, Instant now);
  void release(Slot& slot);
  [[nodiscard]] const Slot* held_primary() const;  // the best one
  [[nodiscard]] std::size_t reach() const;         // how many slots, from the best, matter at present
  [[nodiscard]] bool waits(const Slot& slot) const;
  [[nodiscard]] bool session_taken(const Slot& slot) const;
  [[nodiscard]] bool bridge_wanted() const;
  [[nodiscard]] bool pulsing() const;

  // pause.cpp: whether sync runs, and what happened when nobody ran
  void steer_sync(Instant now);
  void pause(Instant now);
  void suspension_seen(Instant from, Instant to);
  void verify(Instant now);
  [[nodiscard]] bool may_let_go(Instant now) const;  // nothing that still needs pausing depends on what is held
  [[nodiscard]] std::optional<End> run_until() const;
  [[nodiscard]] std::optional<Instant> pause_due() const;
  [[nodiscard]] GapCause cause_of_pause() const;

  // keeper_status.cpp
  [[nodiscard]] std::string objection_reason() const;
  [[nodiscard]] std::string reason() const;
  [[nodiscard]] std::string paused_reason() const;
  [[nodiscard]] std::string held_reason(const Slot& held) const;
  [[nodiscard]] std::string trouble_reason() const;
  [[nodiscard]] const Slot* first_in_trouble() const;

  std::vector<Slot> primaries_;  // best first
  std::optional<Slot> bridge_;
  std::vector<Strategy> offered_;
  BackgroundSyncOptions options_;
  Conditions conditions_;
  bool on_ = false;
  Demand demand_;         // what we act on
  Demand latest_demand_;  // what was told last
  AppState state_ = AppState::Foreground;
  std::optional<Duration> grace_;  // as the system told it last
  std::optional<End> suspend_;     // the end of that grace, counted from its start or from the loss of what was held
  Sync sync_ = Sync::Running;
  GapCause paused_for_ = GapCause::Off;  // of the last pause
  bool trying_ = false;                  // the ladder is tried once although sync is paused
  bool bridge_spent_ = false;  // refused or over; a new one is tried after something better was held, or the next time
  bool outage_ = false;        // an interruption was counted, its recovery was not
  bool unverified_ = false;    // a suspension was seen: what is held may be so no more
  std::uint64_t interruptions_ = 0;
  std::uint64_t recoveries_ = 0;
  PulseLearner learner_;
  std::optional<Instant> pulse_due_;  // while pulses are made
  Instant seen_{};                    // when we were called last
  std::optional<Instant> expected_;   // when we must be called next
  std::deque<Action> actions_;
};

}  // namespace fermata::lifecycle
