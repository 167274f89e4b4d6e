#include "android_platform.hpp"

#include <sys/resource.h>

#include "java_side.hpp"

namespace fermata::android {
namespace {

std::chrono::nanoseconds duration(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

}  // namespace

FromJava& FromJava::one() {
  static auto* const only = new FromJava;  // Java may call until the process ends
  return *only;
}

void FromJava::app_state(AppState state, std::optional<std::chrono::milliseconds> time_left) {
  const std::lock_guard lock(mutex_);
  state_ = Told{state, time_left};
  if (events_.on_app_state) {
    events_.on_app_state(state, time_left);
  }
}

void FromJava::service(StrategyEvent event, std::optional<std::chrono::milliseconds> time_left) {
  const std::lock_guard lock(mutex_);
  if (events_.on_strategy) {
    events_.on_strategy(Strategy::ForegroundService, event, time_left);
  }
}

void FromJava::conditions(const Conditions& now) {
  const std::lock_guard lock(mutex_);
  const bool changed = now != conditions_.value_or(Conditions{});
  conditions_ = now;
  if (changed && events_.on_conditions) {
    events_.on_conditions(now);
  }
}

void FromJava::listen(PlatformEvents events) {
  const std::lock_guard lock(mutex_);
  events_ = std::move(events);
  if (state_) {
    events_.on_app_state(state_->state, state_->time_left);
  }
  if (conditions_ && conditions_ != Conditions{}) {
    events_.on_conditions(*conditions_);
  }
}

void FromJava::fall_silent() {
  const std::lock_guard lock(mutex_);
  events_ = {};
}

AndroidPlatform::~AndroidPlatform() {
  FromJava::one().fall_silent();
  java_side().release();
  java_side().ready_to_suspend();
}

void AndroidPlatform::start(PlatformEvents events) {
  FromJava::one().listen(std::move(events));
}

void AndroidPlatform::acquire(Strategy strategy) {
  if (strategy == Strategy::ForegroundService) {
    java_side().acquire();
  }
}

void AndroidPlatform::release(Strategy strategy) {
  if (strategy == Strategy::ForegroundService) {
    java_side().release();
  }
}

void AndroidPlatform::ready_to_suspend() {
  java_side().ready_to_suspend();
}

std::optional<CostReading> AndroidPlatform::cost() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) {
    return std::nullopt;
  }
  return CostReading{.process = {.wakeups = static_cast<std::uint64_t>(usage.ru_nvcsw),
                                 .cpu = duration(usage.ru_utime) + duration(usage.ru_stime)}};
}

}  // namespace fermata::android
