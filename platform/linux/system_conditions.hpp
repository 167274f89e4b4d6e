// The device's conditions as the services on the system bus tell them: UPower (battery), power-profiles-daemon (low
// power), NetworkManager (metered). A service that is not there leaves its default.
#pragma once

#include <fermata/platform.hpp>
#include <functional>
#include <memory>

namespace sdbus {
class IConnection;
}

namespace fermata::linux_platform {

class SystemConditions {
 public:
  // `report` is called on the bus's thread after each change, and at first if they are not the defaults.
  explicit SystemConditions(std::function<void(const Conditions&)> report);
  SystemConditions(const SystemConditions&) = delete;
  SystemConditions& operator=(const SystemConditions&) = delete;

  // For the system bus: what follows the services, on the bus's thread. This object must outlive it.
  [[nodiscard]] std::shared_ptr<void> serve(sdbus::IConnection& bus);

 private:
  void judge();

  const std::function<void(const Conditions&)> report_;
  // The bus's thread's own.
  bool all_known_ = false;
  bool on_battery_ = false, battery_present_ = false;
  double percentage_ = 0;
  bool power_saver_ = false, power_saver_by_old_name_ = false;
  bool metered_ = false;
  Conditions told_;
};

}  // namespace fermata::linux_platform
