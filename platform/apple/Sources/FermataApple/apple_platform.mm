#import "apple_platform.h"

#include <sys/resource.h>

#import "app_states.h"
#import "background_windows.h"
#import "conditions.h"
#import "continued_task.h"
#import "silent_audio.h"
#import "task_assertion.h"

namespace fermata::apple {
namespace {

std::chrono::nanoseconds duration(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

}  // namespace

struct ApplePlatform::Parts {
  std::shared_ptr<Reporter> reporter;
  std::shared_ptr<SilentAudio> audio;
  std::shared_ptr<TaskAssertion> assertion;
  std::shared_ptr<ContinuedTask> continued;
  std::shared_ptr<AppStates> app;
  std::shared_ptr<DeviceConditions> conditions;
};

ApplePlatform::ApplePlatform(Declared declared, Explain explain)
    : declared_(std::move(declared)), explain_(std::move(explain)) {}

ApplePlatform::~ApplePlatform() {
  if (!parts_) {
    return;
  }
  @autoreleasepool {
    parts_->reporter->silence();
    BackgroundWindows::shared().detach();
    for (const Strategy strategy :
         {Strategy::SilentAudio, Strategy::PulsedAudio, Strategy::TaskAssertion, Strategy::ContinuedTask}) {
      release_pooled(strategy);
    }
    parts_->app->ready();
    parts_.reset();
  }
}

void ApplePlatform::start(PlatformEvents events) {
  // A grace of the system's is not used up while something is held.
  auto app = std::make_shared<std::weak_ptr<AppStates>>();
  events.on_strategy = [tell = std::move(events.on_strategy), app](Strategy which, StrategyEvent event,
                                                                   std::optional<Milliseconds> time_left) {
    tell(which, event, time_left);
    if (const auto states = app->lock(); states && event == StrategyEvent::Held) {
      states->held();
    }
  };
  @autoreleasepool {
    start_parts(std::make_shared<Reporter>(std::move(events)));
    *app = parts_->app;
    parts_->app->start();
    parts_->conditions->start();
    attach_windows();
  }
}

void ApplePlatform::attach_windows() {
  const std::weak_ptr<AppStates> app = parts_->app;
  BackgroundWindows::shared().attach({.opened =
                                          [app] {
                                            if (const auto states = app.lock()) {
                                              states->window_opened();
                                            }
                                          },
                                      .closing =
                                          [app](Milliseconds time_left) {
                                            if (const auto states = app.lock()) {
                                              states->window_closing(time_left);
                                            }
                                          }});
}

void ApplePlatform::start_parts(const std::shared_ptr<Reporter>& reporter) {
  const auto assertion = std::make_shared<TaskAssertion>(reporter, explain_);
  parts_ = std::make_unique<Parts>(Parts{
      .reporter = reporter,
      .audio = std::make_shared<SilentAudio>(reporter, explain_),
      .assertion = assertion,
      .continued = std::make_shared<ContinuedTask>(reporter, explain_, declared_),
      .app = std::make_shared<AppStates>(reporter,
                                         [assertion] {
                                           assertion->report_time();
                                           BackgroundWindows::shared().submit();
                                         }),
      .conditions = std::make_shared<DeviceConditions>(reporter),
  });
}

std::vector<Strategy> ApplePlatform::strategies() const {
  std::vector<Strategy> offered;
  if (declared_.audio) {
    offered = {Strategy::SilentAudio, Strategy::PulsedAudio};
  }
  if (parts_ && parts_->continued->available()) {
    offered.push_back(Strategy::ContinuedTask);
  }
  offered.push_back(Strategy::TaskAssertion);
  return offered;
}

// The keeper's thread is not one of Foundation's: it has no pool of its own.
void ApplePlatform::acquire(Strategy strategy) {
  @autoreleasepool {
    acquire_pooled(strategy);
  }
}

void ApplePlatform::acquire_pooled(Strategy strategy) {
  switch (strategy) {
    case Strategy::SilentAudio:
    case Strategy::PulsedAudio:
      parts_->audio->acquire(strategy);
      return;
    case Strategy::TaskAssertion:
      parts_->assertion->acquire();
      return;
    case Strategy::ContinuedTask:
      parts_->continued->acquire();
      return;
    case Strategy::MediaPlayer:
    case Strategy::ForegroundService:
      parts_->reporter->strategy(strategy, StrategyEvent::Unsupported);
      return;
  }
}

void ApplePlatform::release(Strategy strategy) {
  @autoreleasepool {
    release_pooled(strategy);
  }
}

void ApplePlatform::release_pooled(Strategy strategy) {
  switch (strategy) {
    case Strategy::SilentAudio:
    case Strategy::PulsedAudio:
      parts_->audio->release(strategy);
      return;
    case Strategy::TaskAssertion:
      parts_->assertion->release();
      return;
    case Strategy::ContinuedTask:
      parts_->continued->release();
      return;
    case Strategy::MediaPlayer:
    case Strategy::ForegroundService:
      return;
  }
}

void ApplePlatform::pulse(std::chrono::milliseconds length) {
  @autoreleasepool {
    parts_->audio->pulse(length);
  }
}

void ApplePlatform::ready_to_suspend() {
  @autoreleasepool {
    BackgroundWindows::shared().ready();
    parts_->app->ready();
  }
}

std::optional<CostReading> ApplePlatform::cost() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) {
    return std::nullopt;
  }
  return CostReading{.process = {.wakeups = static_cast<std::uint64_t>(usage.ru_nvcsw),
                                 .cpu = duration(usage.ru_utime) + duration(usage.ru_stime)}};
}

}  // namespace fermata::apple
