// Android as fermata's keeper sees it: what Java tells, and what Java is asked to do. Decides nothing.
#pragma once

#include <fermata/platform.hpp>
#include <memory>
#include <mutex>

namespace fermata::android {

// What Java tells, on its way to whichever platform runs. Java begins before the keeper does, so the latest state and
// conditions are kept for it. Thread-safe; the functions told to never block, so they are called under the lock.
class FromJava {
 public:
  static FromJava& one();

  void app_state(AppState state, std::optional<std::chrono::milliseconds> time_left);
  void service(StrategyEvent event, std::optional<std::chrono::milliseconds> time_left);
  void conditions(const Conditions& now);

  void listen(PlatformEvents events);
  void fall_silent();

 private:
  struct Told {
    AppState state;
    std::optional<std::chrono::milliseconds> time_left;
  };

  std::mutex mutex_;
  PlatformEvents events_;
  std::optional<Told> state_;
  std::optional<Conditions> conditions_;
};

class AndroidPlatform final : public Platform {
 public:
  AndroidPlatform() = default;
  ~AndroidPlatform() override;
  AndroidPlatform(const AndroidPlatform&) = delete;
  AndroidPlatform& operator=(const AndroidPlatform&) = delete;

  void start(PlatformEvents events) override;
  [[nodiscard]] std::vector<Strategy> strategies() const override { return {Strategy::ForegroundService}; }
  void acquire(Strategy strategy) override;
  void release(Strategy strategy) override;
  void ready_to_suspend() override;
  [[nodiscard]] std::optional<CostReading> cost() override;
};

}  // namespace fermata::android
