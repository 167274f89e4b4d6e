#include <cstdlib>
#include <fermata/platform.hpp>

#include "phone_link.hpp"
#include "silent_audio.hpp"

namespace fermata {
namespace linux_platform {
namespace {

class LinuxPlatform final : public Platform {
 public:
  void start(PlatformEvents events) override {
    audio_ = std::make_unique<SilentAudio>(
        [report = events.on_strategy](StrategyEvent event) { report(Strategy::SilentAudio, event, std::nullopt); });
    if (const char* socket = std::getenv("FERMATA_PHONE_SOCKET"); socket != nullptr && *socket != '\0') {
      phone_ = PhoneLink::connect(socket, events);
    }
    if (!phone_) {
      events.on_app_state(AppState::Foreground, std::nullopt);
    }
  }

  [[nodiscard]] std::vector<Strategy> strategies() const override {
    if (phone_) {
      return {Strategy::SilentAudio, Strategy::TaskAssertion};
    }
    return {Strategy::SilentAudio};
  }

  void acquire(Strategy strategy) override {
    if (strategy == Strategy::SilentAudio) {
      audio_->acquire();
    } else if (phone_) {
      phone_->begin_task();
    }
  }

  void release(Strategy strategy) override {
    if (strategy == Strategy::SilentAudio) {
      audio_->release();
    } else if (phone_) {
      phone_->end_task();
    }
  }

  void ready_to_suspend() override {
    if (phone_) {
      phone_->ready();
    }
  }

 private:
  std::unique_ptr<SilentAudio> audio_;
  std::unique_ptr<PhoneLink> phone_;
};

}  // namespace
}  // namespace linux_platform

std::unique_ptr<Platform> make_default_platform() {
  return std::make_unique<linux_platform::LinuxPlatform>();
}

}  // namespace fermata
