// iOS as fermata's keeper sees it: translates the system's events, performs the keeper's actions, decides nothing.
#pragma once

#include <fermata/platform.hpp>
#include <memory>

#include "explain.h"
#include "info_plist.h"

namespace fermata::apple {

class ApplePlatform final : public Platform {
 public:
  ApplePlatform(Declared declared, Explain explain);
  ~ApplePlatform() override;
  ApplePlatform(const ApplePlatform&) = delete;
  ApplePlatform& operator=(const ApplePlatform&) = delete;

  void start(PlatformEvents events) override;
  // SilentAudio and PulsedAudio only if the app declares background audio, ContinuedTask only if it declares one.
  [[nodiscard]] std::vector<Strategy> strategies() const override;
  void acquire(Strategy strategy) override;
  void release(Strategy strategy) override;
  void pulse(std::chrono::milliseconds length) override;
  void ready_to_suspend() override;
  [[nodiscard]] std::optional<CostReading> cost() override;

 private:
  struct Parts;
  void start_parts(const std::shared_ptr<class Reporter>& reporter);
  void attach_windows();
  void acquire_pooled(Strategy strategy);
  void release_pooled(Strategy strategy);

  const Declared declared_;
  const Explain explain_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace fermata::apple
