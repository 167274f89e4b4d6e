// What the shim uses of Foundation, as Apple declares it, for the check without an SDK.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define BOOL bool
#define YES __objc_yes
#define NO __objc_no
#define nil nullptr
#if !defined(__cplusplus)
#include <stdbool.h>
#undef nil
#define nil ((void*)0)
#endif
#define NS_ENUM(type, name) \
  enum name : type name;    \
  enum name : type
#define NS_OPTIONS(type, name) NS_ENUM(type, name)
#define NS_ASSUME_NONNULL_BEGIN _Pragma("clang assume_nonnull begin")
#define NS_ASSUME_NONNULL_END _Pragma("clang assume_nonnull end")
#define NS_SWIFT_NAME(name) __attribute__((swift_name(#name)))
#define API_AVAILABLE_ios(version) __attribute__((availability(ios, introduced = version)))
#define API_AVAILABLE(platform) API_AVAILABLE_##platform

typedef long NSInteger;
typedef unsigned long NSUInteger;
typedef double NSTimeInterval;
#define NSNotFound ((NSInteger)0x7fffffffffffffff)

@class NSString;

@protocol NSObject
- (BOOL)isKindOfClass:(Class)aClass;
@end

__attribute__((objc_root_class))
@interface NSObject<NSObject>
+ (instancetype)alloc;
+ (Class)class;
- (instancetype)init;
- (id)copy;
- (void)performSelectorOnMainThread:(SEL)aSelector withObject:(id)arg waitUntilDone:(BOOL)wait;
@end

@interface NSString : NSObject
+ (instancetype)stringWithUTF8String:(const char*)string;
@property(readonly) const char* UTF8String;
- (BOOL)isEqualToString:(NSString*)other;
- (BOOL)hasSuffix:(NSString*)suffix;
@end

@interface NSNumber : NSObject
+ (NSNumber*)numberWithDouble:(double)value;
@property(readonly) double doubleValue;
@property(readonly) NSUInteger unsignedIntegerValue;
@end

@interface NSData : NSObject
+ (instancetype)dataWithBytes:(const void*)bytes length:(NSUInteger)length;
@end

typedef struct {
  unsigned long state;
  id __unsafe_unretained* itemsPtr;
  unsigned long* mutationsPtr;
  unsigned long extra[5];
} NSFastEnumerationState;

@interface NSArray : NSObject
+ (instancetype)array;
- (BOOL)containsObject:(id)object;
- (NSUInteger)countByEnumeratingWithState:(NSFastEnumerationState*)state
                                  objects:(id __unsafe_unretained*)buffer
                                    count:(NSUInteger)length;
@end

@interface NSSet : NSObject
- (NSUInteger)countByEnumeratingWithState:(NSFastEnumerationState*)state
                                  objects:(id __unsafe_unretained*)buffer
                                    count:(NSUInteger)length;
@end

@interface NSDictionary : NSObject
- (id)objectForKey:(id)key;
@end

@interface NSDate : NSObject
+ (instancetype)dateWithTimeIntervalSinceNow:(NSTimeInterval)seconds;
@end

@interface NSError : NSObject
@property(readonly) NSInteger code;
@property(readonly) NSString* domain;
@property(readonly) NSString* localizedDescription;
@end

@interface NSNotification : NSObject
@property(readonly) id object;
@property(readonly) NSDictionary* userInfo;
@end

@interface NSNotificationCenter : NSObject
+ (NSNotificationCenter*)defaultCenter;
- (void)addObserver:(id)observer selector:(SEL)selector name:(NSString*)name object:(id)object;
- (void)removeObserver:(id)observer;
@end

@interface NSTimer : NSObject
+ (NSTimer*)scheduledTimerWithTimeInterval:(NSTimeInterval)interval
                                    target:(id)target
                                  selector:(SEL)selector
                                  userInfo:(id)userInfo
                                   repeats:(BOOL)repeats;
- (void)invalidate;
@end

@interface NSBundle : NSObject
+ (NSBundle*)mainBundle;
- (id)objectForInfoDictionaryKey:(NSString*)key;
@end

@interface NSProgress : NSObject
@property int64_t totalUnitCount;
@property int64_t completedUnitCount;
@end

@interface NSProcessInfo : NSObject
+ (NSProcessInfo*)processInfo;
@property(readonly, getter=isLowPowerModeEnabled) BOOL lowPowerModeEnabled;
@end

#if defined(__cplusplus)
extern "C" {
#endif
extern NSString* const NSProcessInfoPowerStateDidChangeNotification;
void NSLog(NSString* format, ...) __attribute__((format(__NSString__, 1, 2)));
#if defined(__cplusplus)
}
#endif
