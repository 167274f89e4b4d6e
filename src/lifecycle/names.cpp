#include <fermata/gap.hpp>
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
    case Strategy::PulsedAudio:
      return "pulsed_audio";
    case Strategy::MediaPlayer:
      return "media_player";
    case Strategy::ForegroundService:
      return "foreground_service";
    case Strategy::ContinuedTask:
      return "continued_task";
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
    case StrategyEvent::Unsupported:
      return "unsupported";
  }
  return "unknown";
}

std::string_view name_of(GapCause cause) {
  switch (cause) {
    case GapCause::Off:
      return "off";
    case GapCause::NoDemand:
      return "no_demand";
    case GapCause::Interrupted:
      return "interrupted";
    case GapCause::Expired:
      return "expired";
    case GapCause::Refused:
      return "refused";
    case GapCause::Suspended:
      return "suspended";
    case GapCause::Conditions:
      return "conditions";
    case GapCause::NoPeers:
      return "no_peers";
    case GapCause::Ended:
      return "ended";
  }
  return "unknown";
}

}  // namespace fermata
