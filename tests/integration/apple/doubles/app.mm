// The application, its scenes, its background tasks, the device and the network.
#import <Network/Network.h>
#import <UIKit/UIKit.h>

#include <Block.h>

#include <map>

#include "compat.h"
#include "phone.hpp"

const UIBackgroundTaskIdentifier UIBackgroundTaskInvalid = 0;
#define NAME(symbol) NSString* const symbol = @ #symbol
NAME(UIApplicationDidBecomeActiveNotification);
NAME(UIApplicationWillResignActiveNotification);
NAME(UIApplicationDidEnterBackgroundNotification);
NAME(UIApplicationWillEnterForegroundNotification);
NAME(UIApplicationWillTerminateNotification);
NAME(UIApplicationProtectedDataWillBecomeUnavailable);
NAME(UIApplicationProtectedDataDidBecomeAvailable);
NAME(UISceneDidActivateNotification);
NAME(UISceneWillDeactivateNotification);
NAME(UISceneDidEnterBackgroundNotification);
NAME(UISceneWillEnterForegroundNotification);
NAME(UIDeviceBatteryLevelDidChangeNotification);
NAME(UIDeviceBatteryStateDidChangeNotification);
NAME(NSProcessInfoPowerStateDidChangeNotification);

using doubles::Phone;

namespace {

std::map<UIBackgroundTaskIdentifier, void (^)(void)>& tasks() {
  static auto* const all = new std::map<UIBackgroundTaskIdentifier, void (^)(void)>;
  return *all;
}

nw_path_monitor_update_handler_t network_handler;

}  // namespace

namespace doubles {

std::size_t Phone::open_tasks() const {
  const std::lock_guard lock(mutex);
  return tasks().size();
}

// Whoever has not ended a task when its handler has returned is killed.
void Phone::expire_background_tasks() {
  std::map<UIBackgroundTaskIdentifier, void (^)(void)> now;
  {
    const std::lock_guard lock(mutex);
    now = tasks();
  }
  for (const auto& task : now) {
    const UIBackgroundTaskIdentifier id = task.first;
    void (^const handler)(void) = task.second;
    void (^const kept)(void) = Block_copy(handler);  // it may be ended, and so released, while it runs
    kept();
    Block_release(kept);
    const std::lock_guard lock(mutex);
    if (tasks().contains(id)) {
      note("KILLED: a background task was not ended");
    }
  }
}

void Phone::pay_for_network(bool by_volume) {
  nw_path_monitor_update_handler_t handler = nullptr;
  {
    const std::lock_guard lock(mutex);
    world.metered = by_volume;
    if (network_handler != nullptr) {
      handler = Block_copy(network_handler);
    }
  }
  if (handler != nullptr) {
    handler(nil);
    Block_release(handler);
  }
}

void forget_app() {
  for (const auto& task : tasks()) {
    Block_release(task.second);
  }
  tasks().clear();
}

}  // namespace doubles

@implementation UIScene
- (UISceneActivationState)activationState {
  return activationState_;
}
@end

@implementation UIApplication

+ (UIApplication*)sharedApplication {
  static UIApplication* const only = [[UIApplication alloc] init];
  return only;
}

- (void)onlyOnMainThread:(const char*)what {
  if (![NSThread isMainThread]) {
    Phone::one().note(std::string("OFF THE MAIN THREAD: ") + what);
  }
}

- (UIApplicationState)applicationState {
  [self onlyOnMainThread:"applicationState"];
  return static_cast<UIApplicationState>(Phone::one().world.state);
}

- (NSTimeInterval)backgroundTimeRemaining {
  [self onlyOnMainThread:"backgroundTimeRemaining"];
  const std::lock_guard lock(Phone::one().mutex);
  const auto& world = Phone::one().world;
  return world.state == 2 && !Phone::one().sounding() ? world.time_remaining : 1e300;
}

- (BOOL)isProtectedDataAvailable {
  [self onlyOnMainThread:"protectedDataAvailable"];
  return Phone::one().world.protected_data;
}

- (NSSet*)connectedScenes {
  return [NSSet set];
}

- (UIBackgroundTaskIdentifier)beginBackgroundTaskWithName:(NSString*)taskName
                                        expirationHandler:(void (^)(void))handler {
  auto& phone = Phone::one();
  const std::lock_guard lock(phone.mutex);
  if (!phone.world.grants_tasks) {
    phone.note(std::string("begin task ") + [taskName UTF8String] + ": refused");
    return UIBackgroundTaskInvalid;
  }
  const auto id = phone.world.next_task++;
  tasks()[id] = Block_copy(handler);
  phone.note(std::string("begin task ") + [taskName UTF8String]);
  return id;
}

- (void)endBackgroundTask:(UIBackgroundTaskIdentifier)identifier {
  auto& phone = Phone::one();
  const std::lock_guard lock(phone.mutex);
  const auto found = tasks().find(identifier);
  if (found == tasks().end()) {
    phone.note("ENDED TWICE: a background task");
    return;
  }
  Block_release(found->second);
  tasks().erase(found);
  phone.note("end task");
}

@end

@implementation UIDevice

+ (UIDevice*)currentDevice {
  static UIDevice* const only = [[UIDevice alloc] init];
  return only;
}

- (void)setBatteryMonitoringEnabled:(BOOL)enabled {
  Phone::one().world.battery_monitored = enabled;
}
- (BOOL)isBatteryMonitoringEnabled {
  return Phone::one().world.battery_monitored;
}
- (UIDeviceBatteryState)batteryState {
  const auto& world = Phone::one().world;
  return world.battery_monitored ? static_cast<UIDeviceBatteryState>(world.battery_state) : UIDeviceBatteryStateUnknown;
}
- (float)batteryLevel {
  return Phone::one().world.battery_monitored ? Phone::one().world.battery : -1;
}

@end

@implementation NSProcessInfo (PowerState)
- (BOOL)isLowPowerModeEnabled {
  return Phone::one().world.low_power;
}
@end

dispatch_queue_t dispatch_get_global_queue(intptr_t, uintptr_t) {
  return nil;
}
nw_path_monitor_t nw_path_monitor_create(void) {
  return (nw_path_monitor_t)[[NSObject alloc] init];
}
void nw_path_monitor_set_queue(nw_path_monitor_t, dispatch_queue_t) {}
void nw_path_monitor_set_update_handler(nw_path_monitor_t, nw_path_monitor_update_handler_t handler) {
  const std::lock_guard lock(Phone::one().mutex);
  if (network_handler != nullptr) {
    Block_release(network_handler);
  }
  network_handler = Block_copy(handler);
}
void nw_path_monitor_start(nw_path_monitor_t) {}
void nw_path_monitor_cancel(nw_path_monitor_t) {
  const std::lock_guard lock(Phone::one().mutex);
  if (network_handler != nullptr) {
    Block_release(network_handler);
    network_handler = nullptr;
  }
}
bool nw_path_is_expensive(nw_path_t) {
  return Phone::one().world.metered;
}
void nw_release(NSObject* object) {
  [object release];
}
