// What the system says about the device: low power mode, the battery, a metered network, locked files.
#pragma once

#import <Network/Network.h>
#import <UIKit/UIKit.h>

#include <memory>

#include "foundation.h"
#include "reporter.h"

namespace fermata::apple {

// Everything happens on the main thread, where UIKit wants it; made and destroyed on any.
class DeviceConditions : public std::enable_shared_from_this<DeviceConditions> {
 public:
  explicit DeviceConditions(std::shared_ptr<Reporter> reporter) : reporter_(std::move(reporter)) {}
  ~DeviceConditions();
  DeviceConditions(const DeviceConditions&) = delete;
  DeviceConditions& operator=(const DeviceConditions&) = delete;

  // Listens, switches battery monitoring on, and soon reports what is not as usual.
  void start();

 private:
  void listen(NSString* name, void (DeviceConditions::*handle)());
  void watch_network();
  void begin();
  void read_device();
  void lock_files();
  void unlock_files();
  void report(const Conditions& now);

  const std::shared_ptr<Reporter> reporter_;
  Observers observers_;
  nw_path_monitor_t network_ = nullptr;
  Conditions last_;
};

}  // namespace fermata::apple
