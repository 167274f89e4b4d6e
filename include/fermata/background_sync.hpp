// Keeps sync running when the app leaves the screen.
#pragma once

#include <chrono>
#include <fermata/platform.hpp>
#include <functional>
#include <memory>
#include <string>

namespace fermata {

// What is observed to be true now, beside what the app asked for.
struct BackgroundSyncStatus {
  bool is_on = false;  // the intent
  AppState app_state = AppState::Foreground;
  bool syncing = true;                        // peers are running (not paused for a suspension)
  bool holding = false;                       // a strategy keeps us from being suspended
  Strategy strategy = Strategy::SilentAudio;  // which, if holding
  std::string reason;                         // one sentence for people: why it is so
  std::uint64_t interruptions = 0;            // since the process began
  std::uint64_t recoveries = 0;               // interruptions after which the strategy was held again
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
  // Idempotent.
  void start();
  // Takes that back: the strategy is released, and in the background sync is paused before the system suspends us.
  // Idempotent.
  void stop();
  // What was asked for last. Not what is true: see status().
  [[nodiscard]] bool is_on() const;
  [[nodiscard]] BackgroundSyncStatus status() const;
  // Calls back on the keeper's thread after each change of status, and once soon. Must not block. One observer; empty
  // removes it, and waits for a running call unless made from inside it.
  void observe(std::function<void(const BackgroundSyncStatus&)> callback);

  struct Impl;  // for the peer layer; not part of the interface
  [[nodiscard]] Impl& impl() { return *impl_; }

 private:
  void set_intent(bool on);

  std::unique_ptr<Impl> impl_;
};

}  // namespace fermata
