#include <cstdlib>
#include <fermata/platform.hpp>

#include "cost.hpp"
#include "phone_link.hpp"
#include "silent_audio.hpp"

namespace fermata {
namespace linux_platform {
namespace {

class LinuxPlatform final : public Platform {
 public:
  void start(PlatformEvents events) override {
    if (!events.on_conditions) {
      events.on_conditions = [](const Conditions&) {};
    }
    const auto reporter = [report = events.on_strategy](Strategy strategy) {
      return [report, strategy](StrategyEvent event) { report(strategy, event, std::nullopt); };
    };
    continuous_ = std::make_unique<SilentAudio>(SilentAudio::Mode::Continuous, reporter(Strategy::SilentAudio));
    pulsed_ = std::make_unique<SilentAudio>(SilentAudio::Mode::Pulsed, reporter(Strategy::PulsedAudio));
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
    switch (strategy) {
      case Strategy::SilentAudio:
        return continuous_->acquire();
      case Strategy::PulsedAudio:
        return pulsed_->acquire();
      default:
        if (phone_) phone_->begin_task();
    }
  }

  void release(Strategy strategy) override {
    switch (strategy) {
      case Strategy::SilentAudio:
        return continuous_->release();
      case Strategy::PulsedAudio:
        return pulsed_->release();
      default:
        if (phone_) phone_->end_task();
    }
  }

  void pulse(std::chrono::milliseconds length) override { pulsed_->pulse(length); }

  void ready_to_suspend() override {
    if (phone_) {
      phone_->ready();
    }
  }

  [[nodiscard]] std::optional<CostReading> cost() override { return cost_.read(); }

 private:
  std::unique_ptr<SilentAudio> continuous_;
  std::unique_ptr<SilentAudio> pulsed_;
  std::unique_ptr<PhoneLink> phone_;
  CostReader cost_;
};

}  // namespace
}  // namespace linux_platform

std::unique_ptr<Platform> make_default_platform() {
  return std::make_unique<linux_platform::LinuxPlatform>();
}

}  // namespace fermata
