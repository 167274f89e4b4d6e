// Keeps sync running when the app leaves the screen.
#pragma once

#include <chrono>
#include <fermata/gap.hpp>
#include <fermata/platform.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fermata {

// When there is something to hold for. A hold() counts in each.
enum class BackgroundMode : std::uint8_t {
  WhilePeersConnected,  // a peer is connected, or was 30 s ago, or something is unsynced
  WhileUnsynced,        // something is unsent or not yet received
  Always,               // also alone
};

struct BackgroundSyncOptions {
  BackgroundMode mode = BackgroundMode::WhilePeersConnected;
  // The strategies to use, best first; those that the platform lacks are passed over. Empty: all of the platform's, in
  // its order. For an app store leave out SilentAudio and PulsedAudio.
  std::vector<Strategy> ladder;
  // Reasons to let go, each by itself. Unavailable protected data always is one.
  bool hold_in_low_power = false;
  int hold_above_battery_percent = 0;  // let go below; 0: never
  bool hold_on_metered = true;
  friend bool operator==(const BackgroundSyncOptions&, const BackgroundSyncOptions&) = default;
};

// What a strategy has cost so far, on average over the time that it was held.
struct StrategyCost {
  Strategy strategy = Strategy::SilentAudio;
  std::chrono::milliseconds held{0};
  double wakeups_per_s = 0, cpu_percent = 0;                       // of this process, whatever it did meanwhile
  std::optional<double> server_wakeups_per_s, server_cpu_percent;  // of the sound server
};

// What is observed to be true now, beside what the app asked for.
struct BackgroundSyncStatus {
  bool is_on = false;  // the intent
  AppState app_state = AppState::Foreground;
  bool syncing = true;                        // peers are running (not paused for a suspension)
  bool holding = false;                       // a strategy keeps us from being suspended
  Strategy strategy = Strategy::SilentAudio;  // which, if holding
  std::string reason;                         // one sentence for people: why it is so
  std::uint64_t interruptions = 0;            // since the process began
  std::uint64_t recoveries = 0;               // interruptions after which a strategy was held again
  Conditions conditions;
  std::chrono::milliseconds pulse_period{0};  // between pulses, while PulsedAudio is held
};

// A declared need: while it lives, and background sync is on, the app is held. Movable; empty when default-made.
class [[nodiscard]] Hold {
 public:
  Hold() = default;
  explicit Hold(std::shared_ptr<void> handle) : handle_(std::move(handle)) {}

 private:
  std::shared_ptr<void> handle_;
};

// Thread-safe. Usually `BackgroundSync::shared()`, which every started Peer joins; tests build their own on a platform
// of theirs.
class BackgroundSync {
 public:
  // The keeper of this process, on the default platform; made at first use, lives until exit.
  [[nodiscard]] static BackgroundSync& shared();

  explicit BackgroundSync(std::unique_ptr<Platform> platform);
  ~BackgroundSync();

  // Asks to keep syncing in the background. Costs nothing in the foreground or while there is nothing to sync.
  // Idempotent; other options take the place of those before.
  void start(BackgroundSyncOptions options = {});
  // Takes that back: the strategy is released, and in the background sync is paused before the system suspends us.
  // Idempotent.
  void stop();
  // What was asked for last. Not what is true: see status().
  [[nodiscard]] bool is_on() const;
  [[nodiscard]] BackgroundSyncStatus status() const;
  // Declares a need of the app's own, such as an upload of its own. `reason` is for people, in status().
  [[nodiscard]] Hold hold(std::string reason);
  // The spans in which sync was wanted and did not run, oldest first; the last may still be open. Bounded: the latest
  // 1000. They are kept in the database of each peer that joined; the first to join brings those of earlier processes.
  [[nodiscard]] std::vector<Gap> gaps() const;
  // What keeping alive has cost since the process began. Empty where the platform cannot tell.
  [[nodiscard]] std::vector<StrategyCost> costs();
  // Calls back on the keeper's thread after each change of status, and once soon. Must not block. One observer; empty
  // removes it, and waits for a running call unless made from inside it.
  void observe(std::function<void(const BackgroundSyncStatus&)> callback);

  struct Impl;  // for the peer layer; not part of the interface
  [[nodiscard]] Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace fermata
