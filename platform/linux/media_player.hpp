// A media player on the session bus (MPRIS) that says that it plays: Linux phones freeze an app that is off the screen,
// but not one that does. It makes no sound.
//
// Whoever presses pause interrupts it, until play is pressed. That is remembered across an acquisition that follows a
// release at once, so that trying again does not overrule the user.
//
// Owned and called by one thread; reports come from another, which exists, with the connection, only between acquire()
// and release().
#pragma once

#include <chrono>
#include <fermata/platform.hpp>
#include <functional>
#include <memory>

#include "bus.hpp"

namespace fermata::linux_platform {

class MediaPlayer {
 public:
  // Must not block and must not call back into this object.
  using Report = std::function<void(StrategyEvent)>;

  explicit MediaPlayer(Report report);
  ~MediaPlayer();
  MediaPlayer(const MediaPlayer&) = delete;
  MediaPlayer& operator=(const MediaPlayer&) = delete;

  // Reports Held once the player is there and plays; Interrupted where the user has paused it; Unsupported where there
  // is no session bus; Refused where the bus does not let us.
  void acquire();
  // The player leaves the bus. No report afterwards.
  void release();

 private:
  struct Player;

  const Report report_;
  std::shared_ptr<Player> player_;  // outlives the bus that serves it
  std::unique_ptr<Bus> bus_;
  std::chrono::steady_clock::time_point released_at_{};
};

}  // namespace fermata::linux_platform
