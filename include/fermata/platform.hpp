// The seam between the keeper and an operating system. A platform translates the system's events and performs the
// keeper's actions; it decides nothing. An app needs this header only to bring a platform of its own.
#pragma once

#include <chrono>
#include <fermata/result.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace fermata {

enum class AppState : std::uint8_t { Foreground, Inactive, Background, Suspended, Terminating };

// A way to ask the system not to suspend us. Each is an acquire/release pair.
enum class Strategy : std::uint8_t {
  SilentAudio,    // an empty piece of music; private distribution only (docs/LIFECYCLE.md)
  TaskAssertion,  // a bounded span that the system grants
};

enum class StrategyEvent : std::uint8_t {
  Held,               // it works now
  Refused,            // acquire failed; may be tried again
  Interrupted,        // the system took it for a while (a phone call began); we must yield
  InterruptionEnded,  // and gave it back: acquire again
  Expired,            // its time is over or will be at once; release it
  Lost,               // its provider is gone (sound server died); acquire builds it anew
};

[[nodiscard]] std::string_view name_of(AppState state);       // "foreground"
[[nodiscard]] std::string_view name_of(Strategy strategy);    // "silent_audio"
[[nodiscard]] std::string_view name_of(StrategyEvent event);  // "interruption_ended"

// How a platform reports. Thread-safe, callable from any thread, never blocks.
struct PlatformEvents {
  // `time_left`: how long the process may still run, if the system says so (the grace on Background).
  std::function<void(AppState, std::optional<std::chrono::milliseconds> time_left)> on_app_state;
  // `time_left`: with Held, how long it will last if bounded; with Expired, how long until the system acts.
  std::function<void(Strategy, StrategyEvent, std::optional<std::chrono::milliseconds> time_left)> on_strategy;
};

// All calls come from the keeper's thread, one at a time.
class Platform {
 public:
  virtual ~Platform() = default;  // releases everything; no event afterwards
  virtual void start(PlatformEvents events) = 0;
  // What this system offers, best first. Asked once, after start.
  [[nodiscard]] virtual std::vector<Strategy> strategies() const = 0;
  // The outcome comes as an event: Held or Refused. Acquiring what is held is harmless.
  virtual void acquire(Strategy strategy) = 0;
  // No further event of that acquisition. Harmless when not held.
  virtual void release(Strategy strategy) = 0;
  // Sync is paused: nothing is open and nothing locked, the system may suspend us now.
  virtual void ready_to_suspend() = 0;
};

// The platform this library was built for. On Linux: silent audio through PulseAudio where a server answers, app states
// from the phone simulator when FERMATA_PHONE_SOCKET names its socket; otherwise the app is always in the foreground.
[[nodiscard]] std::unique_ptr<Platform> make_default_platform();

}  // namespace fermata
