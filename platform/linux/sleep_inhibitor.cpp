#include "sleep_inhibitor.hpp"

#include <sdbus-c++/Error.h>
#include <sdbus-c++/IConnection.h>
#include <sdbus-c++/IProxy.h>
#include <sdbus-c++/Types.h>

#include <string>
#include <utility>

#include "followed_property.hpp"

namespace fermata::linux_platform {
namespace {

constexpr const char* kName = "org.freedesktop.login1";
constexpr const char* kLogindPath = "/org/freedesktop/login1";
constexpr const char* kManager = "org.freedesktop.login1.Manager";
constexpr std::chrono::seconds kUsualDelay(5);  // logind's own default of InhibitDelayMaxSec

}  // namespace

struct SleepInhibitor::Logind {
  std::unique_ptr<sdbus::IProxy> manager;
  std::shared_ptr<void> delay;
};

SleepInhibitor::SleepInhibitor(std::function<void(std::chrono::milliseconds)> on_sleep, std::function<void()> on_wake)
    : on_sleep_(std::move(on_sleep)), on_wake_(std::move(on_wake)), delay_(kUsualDelay) {}

SleepInhibitor::~SleepInhibitor() = default;

std::shared_ptr<void> SleepInhibitor::serve(sdbus::IConnection& bus) {
  auto logind = std::make_shared<Logind>();
  logind->manager = sdbus::createProxy(bus, kName, kLogindPath);
  logind->manager->uponSignal("PrepareForSleep").onInterface(kManager).call([this, at = logind.get()](bool begins) {
    begins ? prepare(*at) : wake(*at);
  });
  logind->manager->finishRegistration();
  // Also tells when logind appears later than we.
  logind->delay = follow_property(bus, {kName, kLogindPath, kManager, "InhibitDelayMaxUSec"},
                                  [this, at = logind.get()](const sdbus::Variant* value) {
                                    if (value != nullptr && value->containsValueOfType<std::uint64_t>()) {
                                      const std::chrono::microseconds told(value->get<std::uint64_t>());
                                      delay_ = std::chrono::duration_cast<std::chrono::milliseconds>(told);
                                    }
                                    take(*at);
                                  });
  return logind;
}

void SleepInhibitor::prepare(Logind& /*logind*/) {
  {
    const std::lock_guard lock(mutex_);
    about_to_sleep_ = true;
  }
  on_sleep_(delay_);
}

void SleepInhibitor::wake(Logind& logind) {
  {
    const std::lock_guard lock(mutex_);
    about_to_sleep_ = false;
  }
  take(logind);
  on_wake_();
}

// Without logind, or where it refuses, the machine sleeps when it likes; sync then resumes all the same.
void SleepInhibitor::take(Logind& logind) {
  {
    const std::lock_guard lock(mutex_);
    if (inhibitor_ || about_to_sleep_) {
      return;
    }
  }
  try {
    sdbus::UnixFd taken;
    logind.manager->callMethod("Inhibit")
        .onInterface(kManager)
        .withArguments(std::string("sleep"), std::string("Fermata"), std::string("syncing documents"),
                       std::string("delay"))
        .storeResultsTo(taken);
    const std::lock_guard lock(mutex_);
    inhibitor_ = std::make_unique<sdbus::UnixFd>(std::move(taken));
  } catch (const sdbus::Error&) {
    return;
  }
}

void SleepInhibitor::bus_gone() {
  bool was_about_to_sleep = false;
  {
    const std::lock_guard lock(mutex_);
    was_about_to_sleep = std::exchange(about_to_sleep_, false);
    inhibitor_.reset();
  }
  if (was_about_to_sleep) {
    on_wake_();
  }
}

void SleepInhibitor::ready() {
  const std::lock_guard lock(mutex_);
  if (about_to_sleep_) {
    inhibitor_.reset();
  }
}

}  // namespace fermata::linux_platform
