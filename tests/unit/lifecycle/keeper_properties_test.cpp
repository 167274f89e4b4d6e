#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "unit/lifecycle/keeper_driver.hpp"

namespace fermata::lifecycle {
namespace {

enum class Step : std::uint8_t { Intent, State, Demand, Audio, Task, Paused, Pass };

struct Event {
  Step step = Step::Pass;
  int choice = 0;
  int ms = 0;  // a time left, or the time that passes; negative: none told
};

void showValue(const Event& event, std::ostream& os) {
  os << "{step " << static_cast<int>(event.step) << ", choice " << event.choice << ", ms " << event.ms << "}";
}

rc::Gen<std::vector<Event>> histories() {
  const auto step =
      rc::gen::element(Step::Intent, Step::State, Step::State, Step::Demand, Step::Audio, Step::Audio, Step::Audio,
                       Step::Task, Step::Task, Step::Paused, Step::Paused, Step::Pass, Step::Pass);
  return rc::gen::scale(3.0,
                        rc::gen::container<std::vector<Event>>(rc::gen::build<Event>(
                            rc::gen::set(&Event::step, step), rc::gen::set(&Event::choice, rc::gen::inRange(0, 60)),
                            rc::gen::set(&Event::ms, rc::gen::inRange(-500, 40000)))));
}

rc::Gen<std::vector<Strategy>> ladders() {
  using L = std::vector<Strategy>;
  const L both{Strategy::SilentAudio, Strategy::TaskAssertion};
  return rc::gen::element(both, both, L{Strategy::SilentAudio}, L{Strategy::TaskAssertion}, L{});
}

// What every history keeps at every step; the pairing of actions is checked by the driver itself.
struct World {
  explicit World(std::vector<Strategy> ladder) : it(std::move(ladder)) {}

  void apply(const Event& event) {
    const auto left = event.ms < 0 ? std::nullopt : std::optional<Duration>(milliseconds(event.ms));
    switch (event.step) {
      case Step::Intent:
        it.intent(on = event.choice % 3 != 0);
        break;
      case Step::State:
        it.state(state = static_cast<AppState>(event.choice % 5), left);
        break;
      case Step::Demand:
        it.demand(event.choice % 3 != 0);
        break;
      case Step::Audio:
        it.audio(static_cast<StrategyEvent>(event.choice % 6));
        break;
      case Step::Task:
        it.task(static_cast<StrategyEvent>(event.choice % 6), left);
        break;
      case Step::Paused:
        if (it.pausing()) {
          it.paused();
        }
        break;
      case Step::Pass:
        it.pass(milliseconds(std::max(event.ms, 0)));
        break;
    }
    check();
  }

  void check() {
    const bool holds = it.acquired(Strategy::SilentAudio) || it.acquired(Strategy::TaskAssertion);
    if (state == AppState::Foreground) {
      RC_ASSERT(!holds);
    }
    if (!on && !it.pausing() && !it.sync_running()) {
      RC_ASSERT(!holds);
    }
    if (state == AppState::Foreground && !it.pausing()) {
      RC_ASSERT(it.sync_running());
    }
    const auto deadline = it.keeper().next_deadline();
    RC_ASSERT(!deadline || *deadline > it.now());
    const auto status = it.status();
    RC_ASSERT(status.is_on == on);
    RC_ASSERT(status.syncing == it.sync_running());
    RC_ASSERT(!status.holding || it.acquired(status.strategy));
    RC_ASSERT(!status.reason.empty());
    RC_ASSERT(status.recoveries <= status.interruptions);
  }

  void finish_pause() {
    if (it.pausing()) {
      it.paused();
      check();
    }
  }

  KeeperDriver it;
  bool on = false;
  AppState state = AppState::Foreground;
};

RC_GTEST_PROP(KeeperProperty, EveryHistoryThatEndsInTheForegroundRunsSyncAndHoldsNothing, ()) {
  World world(*ladders());
  for (const auto& event : *histories()) {
    world.apply(event);
  }
  world.apply({Step::State, static_cast<int>(AppState::Foreground), -1});
  world.finish_pause();
  RC_ASSERT(world.it.sync_running());
  RC_ASSERT(!world.it.acquired(Strategy::SilentAudio));
  RC_ASSERT(!world.it.acquired(Strategy::TaskAssertion));
  RC_ASSERT(!world.it.keeper().next_deadline());
}

RC_GTEST_PROP(KeeperProperty, EveryHistoryThatEndsWithStopHoldsNothing, ()) {
  World world(*ladders());
  for (const auto& event : *histories()) {
    world.apply(event);
  }
  world.apply({Step::Intent, 0, 0});
  world.apply({Step::Pass, 0, 60000});
  world.finish_pause();
  world.apply({Step::Pass, 0, 60000});
  world.finish_pause();
  RC_ASSERT(!world.it.acquired(Strategy::SilentAudio));
  RC_ASSERT(!world.it.acquired(Strategy::TaskAssertion));
}

RC_GTEST_PROP(KeeperProperty, InTheBackgroundWithAKnownEndEitherAudioIsHeldOrSyncIsPausedInTime, ()) {
  World world(*ladders());
  for (const auto& event : *histories()) {
    world.apply(event);
  }
  const int grace = *rc::gen::inRange(0, 30000);
  world.apply({Step::State, static_cast<int>(AppState::Background), grace});
  world.it.task(StrategyEvent::Refused);
  world.apply({Step::Pass, 0, grace});
  world.it.task(StrategyEvent::Refused);
  const auto status = world.it.status();
  RC_ASSERT(!world.it.sync_running() || (status.holding && status.strategy == Strategy::SilentAudio));
}

RC_GTEST_PROP(KeeperProperty, SilentAudioIsTriedForAsLongAsItIsWantedAndSyncRuns, ()) {
  World world({Strategy::SilentAudio, Strategy::TaskAssertion});
  for (const auto& event : *histories()) {
    world.apply(event);
  }
  world.apply({Step::State, static_cast<int>(AppState::Foreground), -1});
  world.finish_pause();
  world.apply({Step::Intent, 1, 0});
  world.apply({Step::Demand, 1, 0});
  world.apply({Step::State, static_cast<int>(AppState::Background), -1});
  for (const auto& event : *histories()) {
    if (event.step == Step::Audio || event.step == Step::Pass) {
      world.apply(event);
    }
  }
  world.apply({Step::Pass, 0, 30000});
  RC_ASSERT(world.it.acquired(Strategy::SilentAudio));
  RC_ASSERT(world.it.sync_running());
}

}  // namespace
}  // namespace fermata::lifecycle
