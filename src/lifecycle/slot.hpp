// One strategy as the keeper sees it.
#pragma once

#include <fermata/platform.hpp>
#include <optional>

#include "base/time.hpp"

namespace fermata::lifecycle {

inline constexpr Duration kPauseReserve = std::chrono::milliseconds(1500);
inline constexpr Duration kRetryDelay = std::chrono::milliseconds(500);

enum class Phase : std::uint8_t {
  Idle,
  Acquiring,
  Held,
  Interrupted,  // acquired, but the system took it
  Waiting,      // will be acquired (again) at `due`
  Ending,       // a TaskAssertion whose time is over
};

// When the system acts, and when pausing must begin to be done by then.
struct End {
  Instant at;
  Instant pause_at;
};
[[nodiscard]] End end_in(Duration left, Instant now);

struct Slot {
  Strategy strategy;
  bool acquired = false;  // an Acquire without its Release
  Phase phase = Phase::Idle;
  Instant due{};           // Acquiring: when it counts as slow; Interrupted: when to probe; Waiting: when to acquire
  std::optional<End> end;  // Held or Ending: when it is over, if known

  // Kept from one acquisition to the next.
  StrategyEvent trouble = StrategyEvent::Held;  // why it is not held; Held: no trouble
  Duration retry_delay = kRetryDelay;           // after the next failure
  // Kept while it is not wanted.
  bool allowed = true;            // on the app's ladder
  bool supported = true;          // by this system, as far as known
  bool effective = true;          // it prevents suspensions
  std::optional<Instant> struck;  // when it did not, last

  [[nodiscard]] bool usable() const { return allowed && supported && effective; }
  [[nodiscard]] bool troubled() const { return trouble != StrategyEvent::Held; }
  [[nodiscard]] bool after_interruption() const;  // interrupted, or not held again since
  [[nodiscard]] bool decides() const;             // what stands below it on the ladder is not needed now
  void forget();                                  // trouble and delays: the next attempt is the first
};

}  // namespace fermata::lifecycle
