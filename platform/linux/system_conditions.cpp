#include "system_conditions.hpp"

#include <sdbus-c++/Types.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "followed_property.hpp"

namespace fermata::linux_platform {
namespace {

template <class Value>
Value value_or(const sdbus::Variant* variant, Value otherwise) {
  return variant != nullptr && variant->containsValueOfType<Value>() ? variant->get<Value>() : otherwise;
}

bool is_metered(const sdbus::Variant* value) {
  constexpr std::uint32_t kYes = 1, kGuessYes = 3;  // NMMetered
  const auto metered = value_or<std::uint32_t>(value, 0);
  return metered == kYes || metered == kGuessYes;
}

bool is_power_saver(const sdbus::Variant* value) {
  return value_or<std::string>(value, {}) == "power-saver";
}

}  // namespace

SystemConditions::SystemConditions(std::function<void(const Conditions&)> report) : report_(std::move(report)) {}

std::shared_ptr<void> SystemConditions::serve(sdbus::IConnection& bus) {
  const std::string upower = "org.freedesktop.UPower", upower_path = "/org/freedesktop/UPower";
  const std::string display = upower_path + "/devices/DisplayDevice", device = upower + ".Device";
  const std::string manager = "org.freedesktop.NetworkManager";
  const std::string profiles = upower + ".PowerProfiles", old_profiles = "net.hadess.PowerProfiles";
  auto followed = std::make_shared<std::vector<std::shared_ptr<void>>>();
  const auto follow = [&](PropertyName name, auto note) {
    followed->push_back(follow_property(bus, std::move(name), [this, note](const sdbus::Variant* value) {
      note(value);
      judge();
    }));
  };
  all_known_ = false;
  follow({upower, upower_path, upower, "OnBattery"}, [this](auto* value) { on_battery_ = value_or(value, false); });
  follow({upower, display, device, "IsPresent"}, [this](auto* value) { battery_present_ = value_or(value, false); });
  follow({upower, display, device, "Percentage"}, [this](auto* value) { percentage_ = value_or(value, 0.0); });
  follow({profiles, upower_path + "/PowerProfiles", profiles, "ActiveProfile"},
         [this](auto* value) { power_saver_ = is_power_saver(value); });
  follow({old_profiles, "/net/hadess/PowerProfiles", old_profiles, "ActiveProfile"},
         [this](auto* value) { power_saver_by_old_name_ = is_power_saver(value); });
  follow({manager, "/org/freedesktop/NetworkManager", manager, "Metered"},
         [this](auto* value) { metered_ = is_metered(value); });
  all_known_ = true;
  judge();
  return followed;
}

void SystemConditions::judge() {
  Conditions now;
  now.low_power = power_saver_ || power_saver_by_old_name_;
  now.metered = metered_;
  if (on_battery_ && battery_present_) {
    now.battery_percent = static_cast<int>(std::lround(std::clamp(percentage_, 0.0, 100.0)));
  }
  if (all_known_ && now != told_) {
    told_ = now;
    report_(now);
  }
}

}  // namespace fermata::linux_platform
