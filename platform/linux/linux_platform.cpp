#include <cstdlib>
#include <fermata/platform.hpp>
#include <string>
#include <string_view>

#include "app_states.hpp"
#include "background_portal.hpp"
#include "bus.hpp"
#include "cost.hpp"
#include "media_player.hpp"
#include "phone_link.hpp"
#include "silent_audio.hpp"
#include "sleep_inhibitor.hpp"
#include "system_conditions.hpp"

namespace fermata {
namespace linux_platform {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// A phone that knows of media players has a session bus of its own, beside its socket. On the machine's, a player would
// tell nobody that matters.
bool session_bus_is_the_phones(const std::string& phone_socket) {
  const std::string folder = phone_socket.substr(0, phone_socket.rfind('/') + 1);
  return !folder.empty() && environment("DBUS_SESSION_BUS_ADDRESS").find("path=" + folder) != std::string::npos;
}

class LinuxPlatform final : public Platform {
 public:
  void start(PlatformEvents events) override;
  [[nodiscard]] std::vector<Strategy> strategies() const override;
  void acquire(Strategy strategy) override;
  void release(Strategy strategy) override;
  void pulse(std::chrono::milliseconds length) override { pulsed_->pulse(length); }
  void ready_to_suspend() override;
  [[nodiscard]] std::optional<CostReading> cost() override { return cost_.read(); }

 private:
  void connect_phone(const PlatformEvents& events);
  void serve_system_bus(const PlatformEvents& events);
  void acquire_media_player();

  decltype(PlatformEvents::on_strategy) report_;
  std::unique_ptr<SilentAudio> continuous_, pulsed_;
  std::unique_ptr<MediaPlayer> player_;
  BackgroundPortal portal_;
  CostReader cost_;
  std::unique_ptr<AppStates> states_;
  std::unique_ptr<SleepInhibitor> inhibitor_;
  std::unique_ptr<SystemConditions> conditions_;
  std::string phone_socket_;
  std::unique_ptr<PhoneLink> phone_;  // these two report to what stands above
  std::unique_ptr<Bus> system_bus_;
};

void LinuxPlatform::start(PlatformEvents events) {
  if (!events.on_conditions) {
    events.on_conditions = [](const Conditions&) {};
  }
  report_ = events.on_strategy;
  const auto reporter = [report = report_](Strategy strategy) {
    return [report, strategy](StrategyEvent event) { report(strategy, event, std::nullopt); };
  };
  continuous_ = std::make_unique<SilentAudio>(SilentAudio::Mode::Continuous, reporter(Strategy::SilentAudio));
  pulsed_ = std::make_unique<SilentAudio>(SilentAudio::Mode::Pulsed, reporter(Strategy::PulsedAudio));
  player_ = std::make_unique<MediaPlayer>(reporter(Strategy::MediaPlayer));
  states_ = std::make_unique<AppStates>(events.on_app_state);
  connect_phone(events);
  if (!phone_) {
    states_->set(AppState::Foreground, std::nullopt);
  }
  if (!phone_ || !environment("DBUS_SYSTEM_BUS_ADDRESS").empty()) {
    serve_system_bus(events);
  }
}

void LinuxPlatform::connect_phone(const PlatformEvents& events) {
  phone_socket_ = environment("FERMATA_PHONE_SOCKET");
  if (phone_socket_.empty()) {
    return;
  }
  PlatformEvents awake = events;
  awake.on_app_state = [states = states_.get()](AppState state, AppStates::TimeLeft left) { states->set(state, left); };
  phone_ = PhoneLink::connect(phone_socket_, awake);
}

// Under a phone the machine may still sleep, but the conditions are the phone's.
void LinuxPlatform::serve_system_bus(const PlatformEvents& events) {
  inhibitor_ = std::make_unique<SleepInhibitor>([states = states_.get()](auto left) { states->sleep(left); },
                                                [states = states_.get()] { states->wake(); });
  if (!phone_) {
    conditions_ = std::make_unique<SystemConditions>(events.on_conditions);
  }
  const auto serve = [this](sdbus::IConnection& bus) -> std::shared_ptr<void> {
    const auto sleep = inhibitor_->serve(bus);
    const auto conditions = conditions_ ? conditions_->serve(bus) : nullptr;
    return std::make_shared<std::pair<std::shared_ptr<void>, std::shared_ptr<void>>>(sleep, conditions);
  };
  system_bus_ = Bus::open(Bus::Kind::System, serve, [this] { inhibitor_->bus_gone(); });
}

std::vector<Strategy> LinuxPlatform::strategies() const {
  std::vector<Strategy> ladder{Strategy::MediaPlayer, Strategy::SilentAudio, Strategy::PulsedAudio};
  if (phone_) {
    ladder.push_back(Strategy::TaskAssertion);
  }
  return ladder;
}

void LinuxPlatform::acquire(Strategy strategy) {
  if (!phone_) {
    portal_.ask();
  }
  switch (strategy) {
    case Strategy::MediaPlayer:
      return acquire_media_player();
    case Strategy::SilentAudio:
      return continuous_->acquire();
    case Strategy::PulsedAudio:
      return pulsed_->acquire();
    case Strategy::TaskAssertion:
      if (phone_) {
        return phone_->begin_task();
      }
      break;
    case Strategy::ForegroundService:
    case Strategy::ContinuedTask:
      break;
  }
  report_(strategy, StrategyEvent::Unsupported, std::nullopt);
}

void LinuxPlatform::acquire_media_player() {
  if (phone_ && !session_bus_is_the_phones(phone_socket_)) {
    report_(Strategy::MediaPlayer, StrategyEvent::Unsupported, std::nullopt);
    return;
  }
  player_->acquire();
}

void LinuxPlatform::release(Strategy strategy) {
  switch (strategy) {
    case Strategy::MediaPlayer:
      return player_->release();
    case Strategy::SilentAudio:
      return continuous_->release();
    case Strategy::PulsedAudio:
      return pulsed_->release();
    case Strategy::TaskAssertion:
      if (phone_) {
        phone_->end_task();
      }
      return;
    case Strategy::ForegroundService:
    case Strategy::ContinuedTask:
      return;
  }
}

void LinuxPlatform::ready_to_suspend() {
  if (inhibitor_) {
    inhibitor_->ready();
  }
  if (phone_) {
    phone_->ready();
  }
}

}  // namespace
}  // namespace linux_platform

std::unique_ptr<Platform> make_default_platform() {
  return std::make_unique<linux_platform::LinuxPlatform>();
}

}  // namespace fermata
