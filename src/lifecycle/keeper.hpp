// The reconciler behind BackgroundSync: (intent, app state, demand, strategy events) in, actions out. Pure and
// serialised, so a late pause can never beat a newer resume. No clock, no thread, no system call.
//
// The rules, in order:
//  - Foreground: sync runs, nothing is held.
//  - Inactive: sync runs. On and demanded: silent audio is acquired already, because it must be active before the
//  system
//    suspends us.
//  - Background, on and demanded: hold silent audio. While it is not held (interrupted, refused, lost, slow), hold a
//    TaskAssertion as a bridge; when the interruption ends, acquire again kRetryDelay later, after a refusal or a loss
//    with a doubling delay, inside the bridge; release the bridge once held. An interruption whose end is never told is
//    probed every kMaxRetryDelay. Without silent audio on the ladder the TaskAssertion alone is held.
//  - Background otherwise, or when the bridge is about to end, and always when Suspended or Terminating: pause sync in
//    time (kPauseReserve before the end), then let go, then say ReadyToSuspend.
//  - Sync paused in the background resumes on Foreground or Inactive, or when silent audio is held again.
//  - Every Acquire is matched by one Release before the next Acquire of that strategy; trying again is both.
//  - A system that names no time left does not suspend us: sync is not paused for it.
#pragma once

#include <deque>
#include <fermata/background_sync.hpp>
#include <optional>
#include <variant>
#include <vector>

#include "base/time.hpp"

namespace fermata::lifecycle {

struct Acquire {
  Strategy strategy;
};
struct Release {
  Strategy strategy;
};
// Flush, say goodbye, close, quiesce; report with sync_paused() by `deadline`. `expected_return` is unknown in this
// version.
struct PauseSync {
  Instant deadline;
};
struct ResumeSync {};
struct ReadyToSuspend {};
using Action = std::variant<Acquire, Release, PauseSync, ResumeSync, ReadyToSuspend>;

// Not thread-safe; one owner. After each call: perform every action of poll(), in order, before the next call.
class Keeper {
 public:
  // Time kept for pausing before the system acts; a quarter of the span left if that is less.
  static constexpr Duration kPauseReserve = std::chrono::milliseconds(1500);
  static constexpr Duration kRetryDelay = std::chrono::milliseconds(500);
  static constexpr Duration kMaxRetryDelay = std::chrono::seconds(30);

  explicit Keeper(std::vector<Strategy> ladder);  // best first

  void set_intent(bool on, Instant now);
  void set_app_state(AppState state, std::optional<Duration> time_left, Instant now);
  // Looked at only while sync runs: what is paused cannot tell what it wants.
  void set_demand(bool demand, Instant now);
  // Events of a strategy that is not acquired are ignored.
  void strategy_event(Strategy strategy, StrategyEvent event, std::optional<Duration> time_left, Instant now);
  void sync_paused(Instant now);  // the last PauseSync is done

  [[nodiscard]] std::optional<Action> poll();
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  void on_deadline(Instant now);
  [[nodiscard]] BackgroundSyncStatus status() const;

 private:
  enum class Phase : std::uint8_t {
    Idle,
    Acquiring,
    Held,
    Interrupted,  // acquired, but the system took it
    Waiting,      // will be acquired (again) at `due`
    Ending,       // a TaskAssertion whose time is over
  };
  enum class Sync : std::uint8_t { Running, Pausing, Paused };
  // When the system acts, and when pausing must begin to be done by then.
  struct End {
    Instant at;
    Instant pause_at;
  };
  struct Slot {
    Strategy strategy;
    bool acquired = false;  // an Acquire without its Release
    Phase phase = Phase::Idle;
    Instant due{};           // Acquiring: when it counts as slow; Interrupted: when to probe; Waiting: when to acquire
    std::optional<End> end;  // Held or Ending: when it is over, if known
  };

  static End end_in(Duration left, Instant now);

  void reconcile(Instant now);
  void steer_audio(Instant now);
  void steer_bridge(Instant now);
  void steer_sync(Instant now);
  void acquire(Slot& slot, Instant now);
  void release(Slot& slot);
  void audio_event(StrategyEvent event, Instant now);
  void bridge_event(StrategyEvent event, std::optional<Duration> time_left, Instant now);
  void audio_failed(Instant now);
  void note_interruption();
  void pause(Instant now);

  [[nodiscard]] bool in_background() const;  // where the system may suspend us
  [[nodiscard]] bool wanted() const;         // on, demanded, and in a state in which a strategy helps
  [[nodiscard]] bool audio_held() const;
  [[nodiscard]] bool bridge_wanted() const;
  [[nodiscard]] bool may_let_go(Instant now) const;  // nothing that still needs pausing depends on what is held
  [[nodiscard]] bool waits_for_audio() const;        // audio_.due is a deadline
  [[nodiscard]] std::optional<End> run_until() const;
  [[nodiscard]] std::optional<Instant> pause_due() const;
  [[nodiscard]] std::string reason() const;
  [[nodiscard]] std::string trouble_reason() const;

  std::optional<Slot> audio_;
  std::optional<Slot> bridge_;
  bool on_ = false;
  bool demand_ = false;         // what we act on
  bool latest_demand_ = false;  // what was told last
  AppState state_ = AppState::Foreground;
  std::optional<Duration> grace_;  // as the system told it last
  std::optional<End> suspend_;     // the end of that grace, counted from its start or from the loss of silent audio
  Sync sync_ = Sync::Running;
  StrategyEvent trouble_ = StrategyEvent::Held;  // why silent audio is not held; Held: no trouble
  Duration retry_delay_ = kRetryDelay;
  bool bridge_spent_ = false;  // refused or over; a new one is tried after silent audio was held, or the next time
  bool outage_ = false;        // an interruption was counted, its recovery was not
  std::uint64_t interruptions_ = 0;
  std::uint64_t recoveries_ = 0;
  std::deque<Action> actions_;
};

}  // namespace fermata::lifecycle
