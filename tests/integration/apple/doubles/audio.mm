// The audio session and its players: what sounds is only what the system lets sound.
#import <AVFoundation/AVFoundation.h>

#include "phone.hpp"

NSString* const AVAudioSessionCategoryPlayback = @"AVAudioSessionCategoryPlayback";
NSString* const AVAudioSessionModeDefault = @"AVAudioSessionModeDefault";
NSString* const AVFileTypeWAVE = @"com.microsoft.waveform-audio";
NSString* const AVAudioSessionInterruptionNotification = @"AVAudioSessionInterruptionNotification";
NSString* const AVAudioSessionRouteChangeNotification = @"AVAudioSessionRouteChangeNotification";
NSString* const AVAudioSessionMediaServicesWereLostNotification = @"AVAudioSessionMediaServicesWereLostNotification";
NSString* const AVAudioSessionMediaServicesWereResetNotification = @"AVAudioSessionMediaServicesWereResetNotification";
NSString* const AVAudioSessionInterruptionTypeKey = @"AVAudioSessionInterruptionTypeKey";
NSString* const AVAudioSessionInterruptionReasonKey = @"AVAudioSessionInterruptionReasonKey";
NSString* const AVAudioSessionInterruptionOptionKey = @"AVAudioSessionInterruptionOptionKey";
NSString* const AVAudioSessionRouteChangeReasonKey = @"AVAudioSessionRouteChangeReasonKey";

using doubles::Phone;

namespace {

BOOL refuse(NSError** error, NSInteger code) {
  if (error != nullptr) {
    *error = [NSError errorWithDomain:NSOSStatusErrorDomain code:code userInfo:nil];
  }
  return NO;
}

BOOL activate(NSError** error) {
  auto& phone = Phone::one();
  auto& world = phone.world;
  if (!world.services_up) {
    phone.note("setActive yes: refused");
    return refuse(error, AVAudioSessionErrorCodeMediaServicesFailed);
  }
  if (world.call_running || world.refusals > 0) {
    world.refusals -= world.refusals > 0 ? 1 : 0;
    phone.note("setActive yes: refused");
    return refuse(error, AVAudioSessionErrorCodeCannotInterruptOthers);
  }
  // From the background only a session that mixes may be activated.
  if (world.state == 2 && !world.mixes) {
    phone.note("setActive yes: refused, does not mix");
    return refuse(error, AVAudioSessionErrorCodeCannotInterruptOthers);
  }
  world.session_active = true;
  phone.note("setActive yes");
  if (world.route_change_inside_activation) {
    Phone::post("AVAudioSessionRouteChangeNotification", "AVAudioSessionRouteChangeReasonKey", 3);
  }
  return YES;
}

}  // namespace

@implementation AVAudioSession

+ (AVAudioSession*)sharedInstance {
  static AVAudioSession* const only = [[AVAudioSession alloc] init];
  return only;
}

- (BOOL)setCategory:(NSString*)category
               mode:(NSString*)mode
            options:(AVAudioSessionCategoryOptions)options
              error:(NSError**)outError {
  auto& phone = Phone::one();
  const std::lock_guard lock(phone.mutex);
  if (!phone.world.services_up) {
    return refuse(outError, AVAudioSessionErrorCodeMediaServicesFailed);
  }
  const bool mixes = (options & AVAudioSessionCategoryOptionMixWithOthers) != 0;
  phone.world.category_set = [category isEqualToString:AVAudioSessionCategoryPlayback];
  phone.world.mixes = mixes;
  phone.note(std::string("setCategory ") + [category UTF8String] + " " + [mode UTF8String] + (mixes ? " mixing" : ""));
  return YES;
}

- (BOOL)setActive:(BOOL)active error:(NSError**)outError {
  return [self setActive:active withOptions:0 error:outError];
}

- (BOOL)setActive:(BOOL)active withOptions:(AVAudioSessionSetActiveOptions)options error:(NSError**)outError {
  auto& phone = Phone::one();
  const std::lock_guard lock(phone.mutex);
  if (active) {
    return activate(outError);
  }
  if (phone.world.session_active && phone.world.playing > 0) {
    phone.note("setActive no: refused");
    return refuse(outError, AVAudioSessionErrorCodeIsBusy);
  }
  phone.world.session_active = false;
  const bool tells = (options & AVAudioSessionSetActiveOptionNotifyOthersOnDeactivation) != 0;
  phone.note(tells ? "setActive no, others told" : "setActive no");
  return YES;
}

@end

@implementation AVAudioPlayer

- (instancetype)initWithData:(NSData*)data fileTypeHint:(NSString*)utiString error:(NSError**)outError {
  self = [super init];
  auto& phone = Phone::one();
  const std::lock_guard lock(phone.mutex);
  const bool wave = [data length] > 44 && std::string(static_cast<const char*>([data bytes]), 4) == "RIFF" &&
                    [utiString isEqualToString:AVFileTypeWAVE];
  if (!wave) {
    [self release];
    refuse(outError, -50);
    return nil;
  }
  services_ = phone.world.services;
  volume_ = 1;
  return self;
}

- (void)dealloc {
  [self silence];
  [super dealloc];
}

- (void)silence {
  auto& phone = Phone::one();
  const std::lock_guard lock(phone.mutex);
  if (playing_ && phone.world.playing > 0 && services_ == phone.world.services) {
    --phone.world.playing;
  }
  playing_ = NO;
}

- (BOOL)prepareToPlay {
  const std::lock_guard lock(Phone::one().mutex);
  return services_ == Phone::one().world.services;
}

- (BOOL)play {
  auto& phone = Phone::one();
  const std::lock_guard lock(phone.mutex);
  auto& world = phone.world;
  if (world.refused_plays > 0 || !world.session_active || services_ != world.services) {
    world.refused_plays -= world.refused_plays > 0 ? 1 : 0;
    phone.note("play: refused");
    return NO;
  }
  world.playing += playing_ ? 0 : 1;
  playing_ = YES;
  char text[64];
  std::snprintf(text, sizeof text, "play loops %ld volume %.2f", static_cast<long>(numberOfLoops_),
                static_cast<double>(volume_));
  phone.note(text);
  return YES;
}

- (void)stop {
  [self silence];
  Phone::one().note("stop");
}

// As on the real system, this goes on saying yes after the session was taken.
- (BOOL)isPlaying {
  return playing_;
}
- (void)setNumberOfLoops:(NSInteger)loops {
  numberOfLoops_ = loops;
}
- (NSInteger)numberOfLoops {
  return numberOfLoops_;
}
- (void)setVolume:(float)volume {
  volume_ = volume;
}
- (float)volume {
  return volume_;
}

@end
