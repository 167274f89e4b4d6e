#include "bus.hpp"

#include <sdbus-c++/Error.h>
#include <sdbus-c++/IConnection.h>

#include <chrono>
#include <utility>

namespace fermata::linux_platform {
namespace {

// A service that hangs delays the end of the bus's thread, and so of the platform, by this much at most.
constexpr std::chrono::seconds kCallPatience(2);

}  // namespace

std::unique_ptr<Bus> Bus::open(Kind kind, Setup setup, std::function<void()> on_gone) {
  try {
    auto connection = kind == Kind::System ? sdbus::createSystemBusConnection() : sdbus::createSessionBusConnection();
    connection->setMethodCallTimeout(kCallPatience);
    return std::unique_ptr<Bus>(new Bus(std::move(connection), std::move(setup), std::move(on_gone)));
  } catch (const sdbus::Error&) {
    return nullptr;
  }
}

Bus::Bus(std::unique_ptr<sdbus::IConnection> connection, Setup setup, std::function<void()> on_gone)
    : setup_(std::move(setup)), on_gone_(std::move(on_gone)), connection_(std::move(connection)) {
  thread_ = std::thread([this] { serve(); });
}

Bus::~Bus() {
  {
    const std::lock_guard lock(mutex_);
    leaving_ = true;
    if (connection_) {
      connection_->leaveEventLoop();
    }
  }
  thread_.join();
}

void Bus::serve() {
  bool gone = false;
  try {
    const std::shared_ptr<void> served = setup_(*connection_);
    if (served) {
      connection_->enterEventLoop();
    }
  } catch (const sdbus::Error&) {
    gone = true;
  }
  std::unique_ptr<sdbus::IConnection> closing;
  {
    const std::lock_guard lock(mutex_);
    closing = std::exchange(connection_, nullptr);
    gone = gone && !leaving_;
  }
  closing.reset();
  if (gone) {
    on_gone_();
  }
}

}  // namespace fermata::linux_platform
