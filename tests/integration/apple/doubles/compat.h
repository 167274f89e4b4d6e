// Forced into every file of the shim when it is built for this machine: what Apple's Foundation has and GNUstep's has not.
#pragma once

#import <Foundation/Foundation.h>

#ifndef API_AVAILABLE
#define API_AVAILABLE(...)
#endif
#ifndef NS_SWIFT_NAME
#define NS_SWIFT_NAME(name)
#endif
#ifndef NS_ASSUME_NONNULL_BEGIN
#define NS_ASSUME_NONNULL_BEGIN _Pragma("clang assume_nonnull begin")
#define NS_ASSUME_NONNULL_END _Pragma("clang assume_nonnull end")
#endif

@interface NSProcessInfo (PowerState)
@property(nonatomic, readonly, getter=isLowPowerModeEnabled) BOOL lowPowerModeEnabled;
@end
extern NSString* const NSProcessInfoPowerStateDidChangeNotification;
