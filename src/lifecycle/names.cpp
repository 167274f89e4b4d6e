#include <fermata/platform.hpp>

namespace fermata {

std::string_view name_of(AppState state) {
  switch (state) {
    case AppState::Foreground:
      return "foreground";
    case AppState::Inactive:
      return "inactive";
    case AppState::Background:
      return "background";
    case AppState::Suspended:
      return "suspended";
    case AppState::Terminating:
      return "terminating";
  }
  return "unknown";
}

std::string_view name_of(Strategy strategy) {
  switch (strategy) {
    case Strategy::SilentAudio:
      return "silent_audio";
    case Strategy::TaskAssertion:
      return "task_assertion";
  }
  return "unknown";
}

std::string_view name_of(StrategyEvent event) {
  switch (event) {
    case StrategyEvent::Held:
      return "held";
    case StrategyEvent::Refused:
      return "refused";
    case StrategyEvent::Interrupted:
      return "interrupted";
    case StrategyEvent::InterruptionEnded:
      return "interruption_ended";
    case StrategyEvent::Expired:
      return "expired";
    case StrategyEvent::Lost:
      return "lost";
  }
  return "unknown";
}

}  // namespace fermata
