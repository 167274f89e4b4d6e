// An empty piece of music, played without end (SilentAudio) or for an instant now and then (PulsedAudio), through the
// app's audio session: category playback, mixed with others, so that no other sound stops for it.
//
// It never plays because an interruption began, and never of its own accord: whatever happens to the session is
// reported, what is left of the player is thrown away, and the keeper acquires anew. `isPlaying` is never asked, since
// it goes on saying yes after the session was taken.
#pragma once

#import <AVFoundation/AVFoundation.h>

#include <chrono>
#include <memory>
#include <mutex>

#include "explain.h"
#include "foundation.h"
#include "reporter.h"

namespace fermata::apple {

// Thread-safe: the keeper calls, and the system notifies on threads of its own.
class SilentAudio : public std::enable_shared_from_this<SilentAudio> {
 public:
  SilentAudio(std::shared_ptr<Reporter> reporter, Explain explain);
  ~SilentAudio();
  SilentAudio(const SilentAudio&) = delete;
  SilentAudio& operator=(const SilentAudio&) = delete;

  // `strategy`: SilentAudio or PulsedAudio. Sets the category, activates the session, builds a player and, for
  // SilentAudio, plays. Reports Held or, with an explanation, Refused.
  void acquire(Strategy strategy);
  // Throws the player away; with the last one the session is deactivated, others are told that they may go on, and
  // nothing is listened to any more.
  void release(Strategy strategy);
  // Plays for `length` once, if PulsedAudio is held; reports Lost if the system does not let it.
  void pulse(std::chrono::milliseconds length);

 private:
  // One strategy's use of the session.
  struct Leg {
    Strategy strategy;
    bool acquired = false;
    Strong<AVAudioPlayer*> player;
  };

  [[nodiscard]] Leg& leg(Strategy strategy);
  [[nodiscard]] bool activate();
  [[nodiscard]] bool play(Leg& leg, std::chrono::milliseconds length, NSInteger loops);
  void deactivate();
  void listen();
  void interrupted(NSNotification* notification);
  void route_changed(NSNotification* notification);
  void lost();
  void tell(StrategyEvent event);

  const std::shared_ptr<Reporter> reporter_;
  const Explain explain_;
  std::recursive_mutex mutex_;  // the system may notify from inside a call to it
  Leg continuous_{Strategy::SilentAudio};
  Leg pulsed_{Strategy::PulsedAudio};
  std::unique_ptr<Observers> observers_;  // while anything is acquired
};

}  // namespace fermata::apple
