// What the shim uses of AVFoundation, as Apple declares it.
#pragma once

#import <Foundation/Foundation.h>

extern NSString* const AVAudioSessionCategoryPlayback;
extern NSString* const AVAudioSessionModeDefault;
extern NSString* const AVFileTypeWAVE;
extern NSString* const AVAudioSessionInterruptionNotification;
extern NSString* const AVAudioSessionRouteChangeNotification;
extern NSString* const AVAudioSessionMediaServicesWereLostNotification;
extern NSString* const AVAudioSessionMediaServicesWereResetNotification;
extern NSString* const AVAudioSessionInterruptionTypeKey;
extern NSString* const AVAudioSessionInterruptionReasonKey API_AVAILABLE(ios(14.5));
extern NSString* const AVAudioSessionInterruptionOptionKey;
extern NSString* const AVAudioSessionRouteChangeReasonKey;

typedef NS_ENUM(NSUInteger, AVAudioSessionInterruptionType) {
  AVAudioSessionInterruptionTypeBegan = 1,
  AVAudioSessionInterruptionTypeEnded = 0,
};
typedef NS_ENUM(NSUInteger, AVAudioSessionInterruptionReason) {
  AVAudioSessionInterruptionReasonDefault = 0,
  AVAudioSessionInterruptionReasonAppWasSuspended = 1,
  AVAudioSessionInterruptionReasonRouteDisconnected = 4,
};
typedef NS_ENUM(NSUInteger, AVAudioSessionRouteChangeReason) {
  AVAudioSessionRouteChangeReasonNewDeviceAvailable = 1,
  AVAudioSessionRouteChangeReasonOldDeviceUnavailable = 2,
  AVAudioSessionRouteChangeReasonCategoryChange = 3,
  AVAudioSessionRouteChangeReasonNoSuitableRouteForCategory = 7,
};
typedef NS_OPTIONS(NSUInteger, AVAudioSessionCategoryOptions) {
  AVAudioSessionCategoryOptionMixWithOthers = 1,
};
typedef NS_OPTIONS(NSUInteger, AVAudioSessionSetActiveOptions) {
  AVAudioSessionSetActiveOptionNotifyOthersOnDeactivation = 1,
};
typedef NS_ENUM(NSInteger, AVAudioSessionErrorCode) {
  AVAudioSessionErrorCodeMediaServicesFailed = 1836282486,
  AVAudioSessionErrorCodeIsBusy = 560030580,
  AVAudioSessionErrorCodeIncompatibleCategory = 560161140,
  AVAudioSessionErrorCodeCannotInterruptOthers = 560557684,
  AVAudioSessionErrorCodeMissingEntitlement = 1701737535,
  AVAudioSessionErrorCodeSiriIsRecording = 1936290409,
  AVAudioSessionErrorCodeCannotStartPlaying = 561015905,
  AVAudioSessionErrorCodeInsufficientPriority = 561017449,
  AVAudioSessionErrorCodeResourceNotAvailable = 561145203,
};

@interface AVAudioSession : NSObject
+ (AVAudioSession*)sharedInstance;
- (BOOL)setCategory:(NSString*)category
               mode:(NSString*)mode
            options:(AVAudioSessionCategoryOptions)options
              error:(NSError**)outError;
- (BOOL)setActive:(BOOL)active error:(NSError**)outError;
- (BOOL)setActive:(BOOL)active withOptions:(AVAudioSessionSetActiveOptions)options error:(NSError**)outError;
@end

@interface AVAudioPlayer : NSObject {
  NSInteger numberOfLoops_;
  float volume_;
  int services_;
  BOOL playing_;
}
- (instancetype)initWithData:(NSData*)data fileTypeHint:(NSString*)utiString error:(NSError**)outError;
- (BOOL)prepareToPlay;
- (BOOL)play;
- (void)stop;
@property(nonatomic, readonly, getter=isPlaying) BOOL playing;
@property(nonatomic) NSInteger numberOfLoops;
@property(nonatomic) float volume;
@end
