#include "phone.hpp"

#import <AVFoundation/AVFoundation.h>
#import <UIKit/UIKit.h>
#include <objc/runtime.h>

#include <algorithm>
#include <map>

namespace doubles {

void forget_app();

namespace {

NSString* string(const char* text) {
  return [NSString stringWithUTF8String:text];
}

std::map<const void*, std::size_t>& registrations() {
  static auto* const all = new std::map<const void*, std::size_t>;
  return *all;
}

}  // namespace
}  // namespace doubles

using doubles::Phone;

// Foundation and its runtime keep what they made until the process ends.
extern "C" const char* __lsan_default_options();
extern "C" const char* __lsan_default_options() {
  return "print_suppressions=0";
}
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libobjc.so\nleak:libgnustep-base.so\n";
}

// Who listens, counted, since the notification centre does not tell.
@interface NSNotificationCenter (Counted)
- (void)countedAddObserver:(id)observer selector:(SEL)selector name:(NSString*)name object:(id)object;
- (void)countedRemoveObserver:(id)observer;
@end

@implementation NSNotificationCenter (Counted)

+ (void)count {
  const auto exchange = [](SEL one, SEL other) {
    method_exchangeImplementations(class_getInstanceMethod([NSNotificationCenter class], one),
                                   class_getInstanceMethod([NSNotificationCenter class], other));
  };
  exchange(@selector(addObserver:selector:name:object:), @selector(countedAddObserver:selector:name:object:));
  exchange(@selector(removeObserver:), @selector(countedRemoveObserver:));
}

- (void)countedAddObserver:(id)observer selector:(SEL)selector name:(NSString*)name object:(id)object {
  if ([observer isKindOfClass:NSClassFromString(@"FMTObserver")]) {  // Foundation has some of its own
    const std::lock_guard lock(Phone::one().mutex);
    ++doubles::registrations()[(const void*)observer];
  }
  [self countedAddObserver:observer selector:selector name:name object:object];
}

- (void)countedRemoveObserver:(id)observer {
  {
    const std::lock_guard lock(Phone::one().mutex);
    doubles::registrations().erase((const void*)observer);
  }
  [self countedRemoveObserver:observer];
}

@end

namespace doubles {

// GNUstep says there what nobody may do, such as autorelease without a pool.
static void note_log(NSString* message) {
  const char* const text = [message UTF8String];
  if (std::string(text).find("without pool") != std::string::npos) {
    Phone::one().note(std::string("LEAKED: ") + text);
  }
  std::fputs(text, stderr);
}

Phone& Phone::one() {
  static auto* const phone = [] {
    [NSNotificationCenter count];
    _NSLog_printf_handler = note_log;
    return new Phone;
  }();
  return *phone;
}

void Phone::reset() {
  settle();
  const std::lock_guard lock(mutex);
  forget_app();
  world = World{};
  journal_.clear();
}

void Phone::note(std::string line) {
  const std::lock_guard lock(mutex);
  journal_.push_back(std::move(line));
}

std::vector<std::string> Phone::journal() const {
  const std::lock_guard lock(mutex);
  return journal_;
}

std::size_t Phone::count(const std::string& line) const {
  const std::lock_guard lock(mutex);
  return static_cast<std::size_t>(std::count(journal_.begin(), journal_.end(), line));
}

void Phone::clear_journal() {
  const std::lock_guard lock(mutex);
  journal_.clear();
}

bool Phone::wait_until(const std::function<bool()>& done, std::chrono::milliseconds at_most) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  // Without a source the run loop returns at once; with one it also ends when something was done.
  NSPort* const port = [NSPort port];
  [[NSRunLoop currentRunLoop] addPort:port forMode:NSDefaultRunLoopMode];
  bool reached = done();
  while (!reached && std::chrono::steady_clock::now() < deadline) {
    NSAutoreleasePool* const pool = [[NSAutoreleasePool alloc] init];
    [[NSRunLoop currentRunLoop] runMode:NSDefaultRunLoopMode beforeDate:[NSDate dateWithTimeIntervalSinceNow:0.005]];
    [pool release];
    reached = done();
  }
  [[NSRunLoop currentRunLoop] removePort:port forMode:NSDefaultRunLoopMode];
  return reached;
}

void Phone::post(const char* name, const char* key, unsigned long value, const char* key2, unsigned long value2) {
  NSMutableDictionary* info = [NSMutableDictionary dictionary];
  if (key != nullptr) {
    [info setObject:[NSNumber numberWithUnsignedLong:value] forKey:string(key)];
  }
  if (key2 != nullptr) {
    [info setObject:[NSNumber numberWithUnsignedLong:value2] forKey:string(key2)];
  }
  [[NSNotificationCenter defaultCenter] postNotificationName:string(name) object:nil userInfo:info];
}

void Phone::leave_screen() {
  post("UIApplicationWillResignActiveNotification");
  world.state = 1;
  settle();
  world.state = 2;
  post("UIApplicationDidEnterBackgroundNotification");
}

void Phone::return_to_screen() {
  post("UIApplicationWillEnterForegroundNotification");
  world.state = 0;
  post("UIApplicationDidBecomeActiveNotification");
}

void Phone::call_begins() {
  {
    const std::lock_guard lock(mutex);
    world.call_running = true;
    world.session_active = false;
    world.playing = 0;
  }
  post("AVAudioSessionInterruptionNotification", "AVAudioSessionInterruptionTypeKey", 1);
}

void Phone::call_ends() {
  {
    const std::lock_guard lock(mutex);
    world.call_running = false;
  }
  post("AVAudioSessionInterruptionNotification", "AVAudioSessionInterruptionTypeKey", 0);
}

void Phone::alarm_rings_and_stops() {
  call_begins();
  {
    const std::lock_guard lock(mutex);
    world.refusals = 1;
  }
  call_ends();
}

void Phone::unplug_headphones() {
  {
    const std::lock_guard lock(mutex);
    world.playing = 0;
  }
  post("AVAudioSessionRouteChangeNotification", "AVAudioSessionRouteChangeReasonKey", 2);
}

void Phone::lose_media_services() {
  {
    const std::lock_guard lock(mutex);
    world.services_up = false;
    ++world.services;
    world.session_active = world.mixes = world.category_set = false;
    world.playing = 0;
  }
  post("AVAudioSessionMediaServicesWereLostNotification");
}

void Phone::restart_media_services() {
  {
    const std::lock_guard lock(mutex);
    if (world.services_up) {  // they went and came so fast that nobody was told about the loss
      ++world.services;
      world.session_active = world.mixes = world.category_set = false;
      world.playing = 0;
    }
    world.services_up = true;
  }
  post("AVAudioSessionMediaServicesWereResetNotification");
}

void Phone::force_low_power(bool on) {
  world.low_power = on;
  post("NSProcessInfoPowerStateDidChangeNotification");
}

void Phone::lock_device() {
  world.protected_data = false;
  post("UIApplicationProtectedDataWillBecomeUnavailable");
}

void Phone::unlock_device() {
  world.protected_data = true;
  post("UIApplicationProtectedDataDidBecomeAvailable");
}

void Phone::drain_battery_to(float level) {
  world.battery = level;
  world.battery_state = 1;
  post("UIDeviceBatteryLevelDidChangeNotification");
}

void Phone::terminate() {
  post("UIApplicationWillTerminateNotification");
}

bool Phone::sounding() const {
  const std::lock_guard lock(mutex);
  return world.session_active && world.category_set && world.playing > 0;
}

std::size_t Phone::observers() const {
  const std::lock_guard lock(mutex);
  return registrations().size();
}

}  // namespace doubles

// Work for the main thread is done in the order in which it was posted.
@interface FMTSettled : NSObject {
 @public
  bool settled;
}
@end
@implementation FMTSettled
- (void)settle {
  settled = true;
}
@end

void Phone::settle() {
  FMTSettled* const mark = [[FMTSettled alloc] init];
  [mark performSelectorOnMainThread:@selector(settle) withObject:nil waitUntilDone:NO];
  wait_until([&] { return mark->settled; }, std::chrono::seconds(10));
  [mark release];
}
