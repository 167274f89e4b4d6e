// Keeps sync running when the app leaves the screen: fermata::BackgroundSync for Objective-C and, through it, Swift.
// Plain Objective-C, so that Swift can import it. What it means is written in fermata/background_sync.hpp; what the app
// must declare, and what App Review thinks of it, in platform/apple/README.md.
#pragma once

#import <Foundation/Foundation.h>

NS_ASSUME_NONNULL_BEGIN

/// When there is something to hold for.
typedef NS_ENUM(NSInteger, FMTBackgroundMode) {
  FMTBackgroundModeWhilePeersConnected = 0,
  FMTBackgroundModeWhileUnsynced = 1,
  FMTBackgroundModeAlways = 2,
};

/// What was observed to be true at one moment.
@interface FMTBackgroundSyncStatus : NSObject {
 @private
  void* status_;
}
@property(nonatomic, readonly) BOOL isOn;
@property(nonatomic, readonly) BOOL isSyncing;
@property(nonatomic, readonly) BOOL isHolding;
/// "silent_audio", "task_assertion", …; empty when nothing is held.
@property(nonatomic, readonly, copy) NSString* strategy;
/// One sentence for people: why it is so.
@property(nonatomic, readonly, copy) NSString* reason;
@property(nonatomic, readonly) uint64_t interruptions;
@property(nonatomic, readonly) uint64_t recoveries;
@end

/// A declared need: the app is held while this object lives, or until end.
@interface FMTHold : NSObject {
 @private
  void* hold_;
}
- (void)end;
@end

/// The keeper of this process. Thread-safe.
@interface FMTBackgroundSync : NSObject
@property(class, nonatomic, readonly) FMTBackgroundSync* shared;
/// What was asked for last. Not what is true: see status.
@property(nonatomic, readonly) BOOL isOn;
@property(nonatomic, readonly) FMTBackgroundSyncStatus* status;

/// In application(_:didFinishLaunchingWithOptions:), and only there: lets the system wake the app for sync, if
/// Info.plist names …fermata.refresh or …fermata.processing.
+ (void)registerBackgroundTasks;
/// Asks to keep syncing in the background, with everything that Info.plist allows. Idempotent.
- (void)start;
/// The same, without silent audio: what is safe to ship in the App Store. Idempotent.
- (void)startStoreSafe;
- (void)startWithMode:(FMTBackgroundMode)mode storeSafe:(BOOL)storeSafe NS_SWIFT_NAME(start(mode:storeSafe:));
/// Takes that back. Idempotent.
- (void)stop;
/// Declares a need of the app's own, such as an upload. `reason` is for people, in status.
- (FMTHold*)holdWithReason:(NSString*)reason NS_SWIFT_NAME(hold(reason:));
/// On the main queue, after each change and once soon. One observer; nil removes it.
- (void)observe:(nullable void (^)(FMTBackgroundSyncStatus* status))observer;
@end

NS_ASSUME_NONNULL_END
