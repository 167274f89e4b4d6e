// A property of an object on a message bus, read once and followed by its signals, without polling.
#pragma once

#include <functional>
#include <memory>
#include <string>

namespace sdbus {
class IConnection;
class Variant;
}  // namespace sdbus

namespace fermata::linux_platform {

struct PropertyName {
  std::string service, path, interface, property;
};

// `on_value` is called once before this returns, then after each change, and when the service appears or leaves; with
// nullptr while there is none. On the bus's thread, where the result must be kept and destroyed. Throws sdbus::Error
// when the bus hangs up.
[[nodiscard]] std::shared_ptr<void> follow_property(sdbus::IConnection& bus, PropertyName name,
                                                    std::function<void(const sdbus::Variant*)> on_value);

}  // namespace fermata::linux_platform
