#import "silent_audio.h"

#include <algorithm>

#include "silent_wave.h"

namespace fermata::apple {
namespace {

constexpr float kVolume = 0.01F;
// Long, because each seam of the loop is a wakeup.
constexpr std::chrono::seconds kLoop{30};
constexpr std::chrono::milliseconds kShortestPulse{20};

// The published recipe's mistake is to read this the other way round: began is 1, ended is 0.
bool has_begun(NSUInteger type) {
  return type == AVAudioSessionInterruptionTypeBegan;
}

// A beginning that is told afterwards, or whose cause is a route that is gone, will never be followed by an end.
bool will_end(NSNotification* notification) {
  NSUInteger reason = AVAudioSessionInterruptionReasonDefault;
  if (@available(iOS 14.5, *)) {
    reason = number_in(notification, AVAudioSessionInterruptionReasonKey, reason);
  }
  return reason != AVAudioSessionInterruptionReasonAppWasSuspended &&
         reason != AVAudioSessionInterruptionReasonRouteDisconnected;
}

Strong<AVAudioPlayer*> make_player(std::chrono::milliseconds length, NSInteger loops, NSError** error) {
  const auto wave = silent_wave(length);
  NSData* const data = [NSData dataWithBytes:wave.data() length:wave.size()];
  const auto player = Strong<AVAudioPlayer*>::owned([[AVAudioPlayer alloc] initWithData:data
                                                                           fileTypeHint:AVFileTypeWAVE
                                                                                  error:error]);
  player.get().numberOfLoops = loops;
  player.get().volume = kVolume;
  return player;
}

}  // namespace

SilentAudio::SilentAudio(std::shared_ptr<Reporter> reporter, Explain explain)
    : reporter_(std::move(reporter)), explain_(std::move(explain)) {}

SilentAudio::~SilentAudio() {
  release(Strategy::SilentAudio);
  release(Strategy::PulsedAudio);
}

SilentAudio::Leg& SilentAudio::leg(Strategy strategy) {
  return strategy == Strategy::PulsedAudio ? pulsed_ : continuous_;
}

void SilentAudio::acquire(Strategy strategy) {
  const std::lock_guard lock(mutex_);
  Leg& mine = leg(strategy);
  mine.acquired = true;
  mine.player = {};
  listen();
  const bool held = strategy == Strategy::PulsedAudio ? activate() : activate() && play(mine, kLoop, -1);
  reporter_->strategy(strategy, held ? StrategyEvent::Held : StrategyEvent::Refused);
}

void SilentAudio::release(Strategy strategy) {
  const std::lock_guard lock(mutex_);
  Leg& mine = leg(strategy);
  if (!mine.acquired) {
    return;
  }
  [mine.player.get() stop];
  mine.player = {};
  mine.acquired = false;
  reporter_->released(strategy);
  if (!continuous_.acquired && !pulsed_.acquired) {
    observers_.reset();
    deactivate();
  }
}

void SilentAudio::pulse(std::chrono::milliseconds length) {
  const std::lock_guard lock(mutex_);
  if (!pulsed_.acquired) {
    return;
  }
  // Once, and as long as the wave: it ends by itself, nothing needs to wake up for that.
  if (!activate() || !play(pulsed_, std::max(length, kShortestPulse), 0)) {
    pulsed_.player = {};
    reporter_->strategy(Strategy::PulsedAudio, StrategyEvent::Lost);
  }
}

// The category first: activating a session that is not mixable would silence others, or be refused in the background.
bool SilentAudio::activate() {
  AVAudioSession* const session = [AVAudioSession sharedInstance];
  NSError* error = nil;
  if (![session setCategory:AVAudioSessionCategoryPlayback
                       mode:AVAudioSessionModeDefault
                    options:AVAudioSessionCategoryOptionMixWithOthers
                      error:&error]) {
    explain_(explain("cannot set the category of the audio session", error));
    return false;
  }
  if (![session setActive:YES error:&error]) {
    explain_(explain("cannot activate the audio session", error));
    return false;
  }
  return true;
}

bool SilentAudio::play(Leg& mine, std::chrono::milliseconds length, NSInteger loops) {
  NSError* error = nil;
  mine.player = make_player(length, loops, &error);
  if (!mine.player) {
    explain_(explain("cannot make a player for silence", error));
    return false;
  }
  if (![mine.player.get() prepareToPlay] || ![mine.player.get() play]) {
    explain_(explain("cannot play silence", nil));
    return false;
  }
  return true;
}

void SilentAudio::deactivate() {
  NSError* error = nil;
  if (![[AVAudioSession sharedInstance] setActive:NO
                                      withOptions:AVAudioSessionSetActiveOptionNotifyOthersOnDeactivation
                                            error:&error]) {
    explain_(explain("cannot deactivate the audio session", error));
  }
}

void SilentAudio::listen() {
  if (observers_) {
    return;
  }
  observers_ = std::make_unique<Observers>();
  const auto on = [this](NSString* name, void (SilentAudio::*handle)(NSNotification*)) {
    observers_->listen(name, [weak = weak_from_this(), handle](NSNotification* notification) {
      if (const auto self = weak.lock()) {
        (self.get()->*handle)(notification);
      }
    });
  };
  on(AVAudioSessionInterruptionNotification, &SilentAudio::interrupted);
  on(AVAudioSessionRouteChangeNotification, &SilentAudio::route_changed);
  for (NSString* name :
       {AVAudioSessionMediaServicesWereLostNotification, AVAudioSessionMediaServicesWereResetNotification}) {
    observers_->listen(name, [weak = weak_from_this()](NSNotification*) {
      if (const auto self = weak.lock()) {
        self->lost();
      }
    });
  }
}

// Whether the system advises to resume (shouldResume) does not matter: demand decides, and the keeper knows it.
void SilentAudio::interrupted(NSNotification* notification) {
  const NSUInteger type = number_in(notification, AVAudioSessionInterruptionTypeKey, NSNotFound);
  if (type == NSNotFound) {
    return;
  }
  if (!has_begun(type)) {
    tell(StrategyEvent::InterruptionEnded);
  } else if (will_end(notification)) {
    tell(StrategyEvent::Interrupted);
  } else {
    lost();
  }
}

// The system pauses players when headphones or a car go away, and does not call that an interruption.
void SilentAudio::route_changed(NSNotification* notification) {
  const NSUInteger reason = number_in(notification, AVAudioSessionRouteChangeReasonKey, 0);
  if (reason == AVAudioSessionRouteChangeReasonOldDeviceUnavailable ||
      reason == AVAudioSessionRouteChangeReasonNoSuitableRouteForCategory) {
    lost();
  }
}

void SilentAudio::lost() {
  const std::lock_guard lock(mutex_);
  for (Leg* each : {&continuous_, &pulsed_}) {
    each->player = {};
    if (each->acquired) {
      reporter_->strategy(each->strategy, StrategyEvent::Lost);
    }
  }
}

void SilentAudio::tell(StrategyEvent event) {
  const std::lock_guard lock(mutex_);
  for (const Leg* each : {&continuous_, &pulsed_}) {
    if (each->acquired) {
      reporter_->strategy(each->strategy, event);
    }
  }
}

}  // namespace fermata::apple
