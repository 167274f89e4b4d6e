#import "conditions.h"

#include <cmath>

namespace fermata::apple {

void DeviceConditions::start() {
  listen(NSProcessInfoPowerStateDidChangeNotification, &DeviceConditions::read_device);
  listen(UIDeviceBatteryLevelDidChangeNotification, &DeviceConditions::read_device);
  listen(UIDeviceBatteryStateDidChangeNotification, &DeviceConditions::read_device);
  listen(UIApplicationProtectedDataWillBecomeUnavailable, &DeviceConditions::lock_files);
  listen(UIApplicationProtectedDataDidBecomeAvailable, &DeviceConditions::unlock_files);
  post_to_main([weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->begin();
    }
  });
  watch_network();
}

DeviceConditions::~DeviceConditions() {
  if (network_ != nullptr) {
    nw_path_monitor_cancel(network_);
#if !__has_feature(objc_arc)
    nw_release(network_);
#endif
  }
}

// Notifications about power come on threads of the system's choosing.
void DeviceConditions::listen(NSString* name, void (DeviceConditions::*handle)()) {
  observers_.listen(name, [weak = weak_from_this(), handle](NSNotification*) {
    post_to_main([weak, handle] {
      if (const auto self = weak.lock()) {
        (self.get()->*handle)();
      }
    });
  });
}

void DeviceConditions::watch_network() {
  network_ = nw_path_monitor_create();
  nw_path_monitor_set_queue(network_, dispatch_get_global_queue(QOS_CLASS_UTILITY, 0));
  const auto weak = weak_from_this();
  nw_path_monitor_set_update_handler(network_, ^(nw_path_t path) {
    const bool metered = nw_path_is_expensive(path);
    post_to_main([weak, metered] {
      if (const auto self = weak.lock()) {
        Conditions now = self->last_;
        now.metered = metered;
        self->report(now);
      }
    });
  });
  nw_path_monitor_start(network_);
}

void DeviceConditions::begin() {
  [UIDevice currentDevice].batteryMonitoringEnabled = YES;
  last_.protected_data_available = [UIApplication sharedApplication].protectedDataAvailable;
  if (!last_.protected_data_available) {
    reporter_->conditions(last_);
  }
  read_device();
}

void DeviceConditions::read_device() {
  Conditions now = last_;
  now.low_power = [NSProcessInfo processInfo].lowPowerModeEnabled;
  UIDevice* const device = [UIDevice currentDevice];
  const float level = device.batteryLevel;  // 0 to 1, or -1 where it is not known
  const bool discharging = device.batteryState == UIDeviceBatteryStateUnplugged && level >= 0;
  now.battery_percent = discharging ? std::optional(static_cast<int>(std::lround(level * 100))) : std::nullopt;
  report(now);
}

void DeviceConditions::lock_files() {
  Conditions now = last_;
  now.protected_data_available = false;
  report(now);
}

void DeviceConditions::unlock_files() {
  Conditions now = last_;
  now.protected_data_available = true;
  report(now);
}

void DeviceConditions::report(const Conditions& now) {
  if (now != last_) {
    last_ = now;
    reporter_->conditions(now);
  }
}

}  // namespace fermata::apple
