// What the shim uses of UIKit, as Apple declares it.
#pragma once

#import <Foundation/Foundation.h>

typedef NSUInteger UIBackgroundTaskIdentifier;
extern const UIBackgroundTaskIdentifier UIBackgroundTaskInvalid;

typedef NS_ENUM(NSInteger, UIApplicationState) {
  UIApplicationStateActive = 0,
  UIApplicationStateInactive = 1,
  UIApplicationStateBackground = 2,
};
typedef NS_ENUM(NSInteger, UISceneActivationState) {
  UISceneActivationStateUnattached = -1,
  UISceneActivationStateForegroundActive = 0,
  UISceneActivationStateForegroundInactive = 1,
  UISceneActivationStateBackground = 2,
};
typedef NS_ENUM(NSInteger, UIDeviceBatteryState) {
  UIDeviceBatteryStateUnknown = 0,
  UIDeviceBatteryStateUnplugged = 1,
  UIDeviceBatteryStateCharging = 2,
  UIDeviceBatteryStateFull = 3,
};

extern NSString* const UIApplicationDidBecomeActiveNotification;
extern NSString* const UIApplicationWillResignActiveNotification;
extern NSString* const UIApplicationDidEnterBackgroundNotification;
extern NSString* const UIApplicationWillEnterForegroundNotification;
extern NSString* const UIApplicationWillTerminateNotification;
extern NSString* const UIApplicationProtectedDataWillBecomeUnavailable;
extern NSString* const UIApplicationProtectedDataDidBecomeAvailable;
extern NSString* const UISceneDidActivateNotification;
extern NSString* const UISceneWillDeactivateNotification;
extern NSString* const UISceneDidEnterBackgroundNotification;
extern NSString* const UISceneWillEnterForegroundNotification;
extern NSString* const UIDeviceBatteryLevelDidChangeNotification;
extern NSString* const UIDeviceBatteryStateDidChangeNotification;

@interface UIScene : NSObject {
  UISceneActivationState activationState_;
}
@property(nonatomic, readonly) UISceneActivationState activationState;
@end

@interface UIApplication : NSObject
+ (UIApplication*)sharedApplication;
@property(nonatomic, readonly) UIApplicationState applicationState;
@property(nonatomic, readonly) NSTimeInterval backgroundTimeRemaining;
@property(nonatomic, readonly, getter=isProtectedDataAvailable) BOOL protectedDataAvailable;
@property(nonatomic, readonly) NSSet* connectedScenes;
- (UIBackgroundTaskIdentifier)beginBackgroundTaskWithName:(NSString*)taskName expirationHandler:(void (^)(void))handler;
- (void)endBackgroundTask:(UIBackgroundTaskIdentifier)identifier;
@end

@interface UIDevice : NSObject
+ (UIDevice*)currentDevice;
@property(nonatomic, getter=isBatteryMonitoringEnabled) BOOL batteryMonitoringEnabled;
@property(nonatomic, readonly) UIDeviceBatteryState batteryState;
@property(nonatomic, readonly) float batteryLevel;
@end
