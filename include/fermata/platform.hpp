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
  SilentAudio,        // an empty piece of music without end; private distribution only (docs/LIFECYCLE.md)
  PulsedAudio,        // the same for an instant now and then, when the keeper says pulse(); private distribution only
  TaskAssertion,      // a bounded span that the system grants: the bridge while nothing better is held
  MediaPlayer,        // a media player that says "Playing" (MPRIS): Linux phones do not freeze those
  ForegroundService,  // Android: a service with a notification
  ContinuedTask,      // iOS 26: a task that the user began and whose progress the system shows
};
inline constexpr std::size_t kStrategies = 6;

enum class StrategyEvent : std::uint8_t {
  Held,               // it works now
  Refused,            // acquire failed; may be tried again
  Interrupted,        // the system took it for a while (a phone call began); we must yield
  InterruptionEnded,  // and gave it back: acquire again
  Expired,            // its time is over or will be at once; release it
  Lost,               // its provider is gone (sound server died); acquire builds it anew
  Unsupported,        // this system has no such thing; not tried again before the app next leaves the screen
};

// What the system says about the device. Each may be a reason to let go (BackgroundSyncOptions).
struct Conditions {
  bool low_power = false;                // the user asked the system to save power
  std::optional<int> battery_percent;    // while it discharges; nothing on mains, or where it cannot be known
  bool metered = false;                  // the network is paid for by volume
  bool protected_data_available = true;  // false: the device is locked and its files are encrypted
  friend bool operator==(const Conditions&, const Conditions&) = default;
};

// What something has used since it began. Two samples make a rate.
struct CostSample {
  std::uint64_t wakeups = 0;        // voluntary context switches of all threads
  std::chrono::nanoseconds cpu{0};  // user and system
};
struct CostReading {
  CostSample process;                      // this one
  std::optional<CostSample> sound_server;  // where it can be read
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
  // After each change, and once soon after start if they are not the defaults.
  std::function<void(const Conditions&)> on_conditions;
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
  // While PulsedAudio is acquired: be audible for that long, then rest until the next call. Harmless otherwise.
  virtual void pulse(std::chrono::milliseconds length) { (void)length; }
  // Sync is paused: nothing is open and nothing locked, the system may suspend us now.
  virtual void ready_to_suspend() = 0;
  // Nothing where it cannot be read. Cheap enough for every status().
  [[nodiscard]] virtual std::optional<CostReading> cost() { return std::nullopt; }
};

// The platform this library was built for (docs/LIFECYCLE.md says what each offers). On Linux app states come from the
// phone simulator when FERMATA_PHONE_SOCKET names its socket; otherwise the app is in the foreground except while the
// machine sleeps.
[[nodiscard]] std::unique_ptr<Platform> make_default_platform();

}  // namespace fermata
