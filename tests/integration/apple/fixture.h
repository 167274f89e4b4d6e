// The shim on a phone that we play, and what it tells the keeper.
#pragma once

#import <Foundation/Foundation.h>
#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "apple_platform.h"
#include "background_windows.h"
#include "doubles/phone.hpp"

namespace fermata::apple {

using doubles::Phone;
using namespace std::chrono_literals;

inline constexpr auto kSoon = std::chrono::seconds(10);  // fails long after everything that works is over

inline Declared everything() {
  return {.audio = true,
          .refresh_task = "app.fermata.refresh",
          .processing_task = "app.fermata.processing",
          .continued_task = "app.fermata.continued"};
}

// What the keeper would hear, in words. From any thread.
class Heard {
 public:
  PlatformEvents events() {
    PlatformEvents events;
    events.on_app_state = [this](AppState state, auto left) { add(std::string(name_of(state)), left); };
    events.on_strategy = [this](Strategy strategy, StrategyEvent event, auto left) {
      add(std::string(name_of(strategy)) + " " + std::string(name_of(event)), left);
    };
    events.on_conditions = [this](const Conditions& now) {
      const std::lock_guard lock(mutex_);
      conditions_ = now;
      ++changes_;
    };
    return events;
  }
  [[nodiscard]] std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  [[nodiscard]] bool has(const std::string& line) const {
    const std::lock_guard lock(mutex_);
    for (const auto& each : lines_) {
      if (each == line) {
        return true;
      }
    }
    return false;
  }
  // The time told with the latest event.
  [[nodiscard]] std::optional<std::chrono::milliseconds> time_left() const {
    const std::lock_guard lock(mutex_);
    return time_left_;
  }
  [[nodiscard]] Conditions conditions() const {
    const std::lock_guard lock(mutex_);
    return conditions_;
  }
  [[nodiscard]] int condition_changes() const {
    const std::lock_guard lock(mutex_);
    return changes_;
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    lines_.clear();
  }

 private:
  void add(std::string line, std::optional<std::chrono::milliseconds> left) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
    time_left_ = left;
  }

  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
  std::optional<std::chrono::milliseconds> time_left_;
  Conditions conditions_;
  int changes_ = 0;
};

using Lines = std::vector<std::string>;

class AppleTest : public testing::Test {
 protected:
  AppleTest() : pool_([[NSAutoreleasePool alloc] init]), phone_(Phone::one()) { phone_.reset(); }
  ~AppleTest() override {
    platform_.reset();
    Phone::settle();
    EXPECT_EQ(phone_.observers(), 0U) << "somebody still listens after the platform is gone";
    EXPECT_EQ(phone_.open_tasks(), 0U) << "a background task was leaked";
    EXPECT_FALSE(phone_.world.session_active && phone_.world.playing > 0) << "it still plays";
    for (const auto& line : phone_.journal()) {
      for (const char* wrong : {"KILLED", "ENDED TWICE", "OFF THE MAIN THREAD", "STUCK", "LEAKED"}) {
        EXPECT_EQ(line.find(wrong), std::string::npos) << line;
      }
    }
    [pool_ release];
  }

  // On the screen, started, all of the beginning heard.
  void start(Declared declared = everything()) {
    platform_ = std::make_unique<ApplePlatform>(std::move(declared), [this](const std::string& text) {
      const std::lock_guard lock(explained_mutex_);
      explained_ = text;
    });
    platform_->start(heard_.events());
    Phone::settle();
  }
  void hold(Strategy strategy) {
    platform_->acquire(strategy);
    Phone::settle();
    heard_.clear();
    phone_.clear_journal();
  }
  [[nodiscard]] std::string explained() const {
    const std::lock_guard lock(explained_mutex_);
    return explained_;
  }

  NSAutoreleasePool* pool_;
  Phone& phone_;
  Heard heard_;
  mutable std::mutex explained_mutex_;
  std::string explained_;
  std::unique_ptr<ApplePlatform> platform_;
};

}  // namespace fermata::apple
