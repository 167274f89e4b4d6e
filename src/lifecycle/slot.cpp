#include "lifecycle/slot.hpp"

#include <algorithm>

namespace fermata::lifecycle {

End end_in(Duration left, Instant now) {
  const Duration span = std::max(left, Duration::zero());
  return {now + span, now + span - std::min(kPauseReserve, span / 4)};
}

bool Slot::after_interruption() const {
  return trouble == StrategyEvent::Interrupted || trouble == StrategyEvent::InterruptionEnded;
}

bool Slot::decides() const {
  return phase == Phase::Held || (phase == Phase::Acquiring && !troubled());
}

void Slot::forget() {
  trouble = StrategyEvent::Held;
  retry_delay = kRetryDelay;
}

}  // namespace fermata::lifecycle
