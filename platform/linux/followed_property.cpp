#include "followed_property.hpp"

#include <fmt/format.h>
#include <sdbus-c++/Error.h>
#include <sdbus-c++/IConnection.h>
#include <sdbus-c++/IProxy.h>
#include <sdbus-c++/Message.h>
#include <sdbus-c++/Types.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace fermata::linux_platform {
namespace {

constexpr const char* kProperties = "org.freedesktop.DBus.Properties";

class FollowedProperty {
 public:
  FollowedProperty(sdbus::IConnection& bus, PropertyName name, std::function<void(const sdbus::Variant*)> on_value)
      : name_(std::move(name)),
        on_value_(std::move(on_value)),
        object_(sdbus::createProxy(bus, name_.service, name_.path)) {
    changes_ = bus.addMatch(
        fmt::format("type='signal',sender='{}',path='{}',interface='{}',member='PropertiesChanged',arg0='{}'",
                    name_.service, name_.path, kProperties, name_.interface),
        [this](sdbus::Message& message) { on_changes(message); });
    owners_ = bus.addMatch(fmt::format("type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
                                       "member='NameOwnerChanged',arg0='{}'",
                                       name_.service),
                           [this](sdbus::Message& message) { on_owner(message); });
    read();
  }

 private:
  void read() {
    sdbus::Variant value;
    try {
      object_->callMethod("Get")
          .onInterface(kProperties)
          .withArguments(name_.interface, name_.property)
          .storeResultsTo(value);
    } catch (const sdbus::Error&) {
      on_value_(nullptr);
      return;
    }
    on_value_(&value);
  }

  void on_changes(sdbus::Message& message) {
    std::string interface;
    std::map<std::string, sdbus::Variant> changed;
    std::vector<std::string> invalidated;
    try {
      message >> interface >> changed >> invalidated;
    } catch (const sdbus::Error&) {
      return;  // not what the interface promises
    }
    if (const auto found = changed.find(name_.property); found != changed.end()) {
      on_value_(&found->second);
    } else if (std::find(invalidated.begin(), invalidated.end(), name_.property) != invalidated.end()) {
      read();
    }
  }

  void on_owner(sdbus::Message& message) {
    std::string service, before, now;
    try {
      message >> service >> before >> now;
    } catch (const sdbus::Error&) {
      return;
    }
    if (now.empty()) {
      on_value_(nullptr);
    } else {
      read();
    }
  }

  const PropertyName name_;
  const std::function<void(const sdbus::Variant*)> on_value_;
  const std::unique_ptr<sdbus::IProxy> object_;
  sdbus::Slot changes_, owners_;
};

}  // namespace

std::shared_ptr<void> follow_property(sdbus::IConnection& bus, PropertyName name,
                                      std::function<void(const sdbus::Variant*)> on_value) {
  return std::make_shared<FollowedProperty>(bus, std::move(name), std::move(on_value));
}

}  // namespace fermata::linux_platform
