#include "background_portal.hpp"

#include <fmt/format.h>
#include <sdbus-c++/Error.h>
#include <sdbus-c++/IConnection.h>
#include <sdbus-c++/IProxy.h>
#include <sdbus-c++/Message.h>
#include <sdbus-c++/Types.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>

namespace fermata::linux_platform {
namespace {

constexpr const char* kName = "org.freedesktop.portal.Desktop";
constexpr const char* kPortalPath = "/org/freedesktop/portal/desktop";
using Details = std::map<std::string, sdbus::Variant>;

bool is_there(sdbus::IConnection& bus) {
  bool there = false;
  const auto daemon = sdbus::createProxy(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus");
  daemon->callMethod("NameHasOwner")
      .onInterface("org.freedesktop.DBus")
      .withArguments(std::string(kName))
      .storeResultsTo(there);
  return there;
}

void say_if_denied(std::uint32_t response, const Details& details) {
  const auto background = details.find("background");
  const bool denied = response != 0 || (background != details.end() && background->second.containsValueOfType<bool>() &&
                                        !background->second.get<bool>());
  if (denied) {
    std::fputs(
        "fermata: the desktop does not allow this app to run in the background; sync may stop when its windows "
        "are closed; allow it in the desktop's settings for the app\n",
        stderr);
  }
}

// Where the answer comes: the portal makes this path of our name and the token that we choose.
std::string request_path(const sdbus::IConnection& bus, const std::string& token) {
  std::string sender = bus.getUniqueName().substr(1);
  std::replace(sender.begin(), sender.end(), '.', '_');
  return fmt::format("{}/request/{}/{}", kPortalPath, sender, token);
}

void on_response(sdbus::IConnection& bus, sdbus::Message& message) {
  try {
    std::uint32_t response = 0;
    Details details;
    message >> response >> details;
    say_if_denied(response, details);
  } catch (const sdbus::Error&) {
    // Not an answer as the interface has it; there is no other to come.
  }
  bus.leaveEventLoop();
}

std::shared_ptr<void> request(sdbus::IConnection& bus) {
  if (!is_there(bus)) {
    return nullptr;
  }
  const std::string token = fmt::format("fermata{}", ::getpid());
  auto answer = std::make_shared<sdbus::Slot>(bus.addMatch(
      fmt::format("type='signal',sender='{}',interface='org.freedesktop.portal.Request',member='Response',path='{}'",
                  kName, request_path(bus, token)),
      [&bus](sdbus::Message& message) { on_response(bus, message); }));
  sdbus::ObjectPath handle;
  sdbus::createProxy(bus, kName, kPortalPath)
      ->callMethod("RequestBackground")
      .onInterface("org.freedesktop.portal.Background")
      .withArguments(std::string(), Details{{"handle_token", sdbus::Variant(token)},
                                            {"reason", sdbus::Variant(std::string("Keeps your documents in sync"))}})
      .storeResultsTo(handle);
  return answer;
}

}  // namespace

void BackgroundPortal::ask() {
  if (!asked_) {
    asked_ = true;
    bus_ = Bus::open(Bus::Kind::Session, &request, [] {});
  }
}

}  // namespace fermata::linux_platform
