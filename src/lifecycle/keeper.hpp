// The reconciler behind BackgroundSync: (intent, app state, demand, strategy events) in, actions out. Pure and
// serialised, so a late pause can never beat a newer resume. No clock, no thread, no system call.
//
// The rules, in order:
//  - Foreground or Inactive: sync runs, nothing is held.
//  - Background, on and demanded: hold the best strategy. While it is interrupted, hold a TaskAssertion as a bridge;
//  when the
//    interruption ends, acquire again 0.5 s later, then with backoff, inside the bridge; release the bridge once held.
//  - Background otherwise, or when the last strategy is about to end: pause sync in time (kPauseReserve before the
//  end), then let go.
//  - Every Acquire is matched by one Release. Sync paused in the background resumes on Foreground, or when a strategy
//  is held again.
#pragma once

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

class Keeper {
 public:
  // Time kept for pausing before the system acts; a quarter of the span left if that is less.
  static constexpr Duration kPauseReserve = std::chrono::milliseconds(1500);
  static constexpr Duration kRetryDelay = std::chrono::milliseconds(500);
  static constexpr Duration kMaxRetryDelay = std::chrono::seconds(30);

  explicit Keeper(std::vector<Strategy> ladder);  // best first

  void set_intent(bool on, Instant now);
  void set_app_state(AppState state, std::optional<Duration> time_left, Instant now);
  void set_demand(bool demand, Instant now);
  void strategy_event(Strategy strategy, StrategyEvent event, std::optional<Duration> time_left, Instant now);
  void sync_paused(Instant now);  // the last PauseSync is done

  [[nodiscard]] std::optional<Action> poll();
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  void on_deadline(Instant now);
  [[nodiscard]] BackgroundSyncStatus status() const;

  // private state follows; kept out of the contract
};

}  // namespace fermata::lifecycle
