#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "unit/lifecycle/keeper_driver.hpp"

namespace fermata::lifecycle {
namespace {

using enum Strategy;

enum class Step : std::uint8_t { Intent, State, Demand, Conditions, Options, Primary, Task, Paused, Pass, Freeze };

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
      rc::gen::element(Step::Intent, Step::State, Step::State, Step::Demand, Step::Conditions, Step::Options,
                       Step::Primary, Step::Primary, Step::Primary, Step::Primary, Step::Task, Step::Task, Step::Paused,
                       Step::Paused, Step::Pass, Step::Pass, Step::Freeze);
  return rc::gen::scale(3.0,
                        rc::gen::container<std::vector<Event>>(rc::gen::build<Event>(
                            rc::gen::set(&Event::step, step), rc::gen::set(&Event::choice, rc::gen::inRange(0, 420)),
                            rc::gen::set(&Event::ms, rc::gen::inRange(-500, 40000)))));
}

using Ladder = std::vector<Strategy>;

rc::Gen<Ladder> ladders() {
  const Ladder three{ForegroundService, SilentAudio, PulsedAudio, TaskAssertion};
  return rc::gen::element(three, three, Ladder{TaskAssertion, PulsedAudio, MediaPlayer, SilentAudio},
                          Ladder{PulsedAudio, SilentAudio, TaskAssertion}, Ladder{SilentAudio, TaskAssertion},
                          Ladder{SilentAudio}, Ladder{TaskAssertion}, Ladder{});
}

// What every history keeps at every step; that each acquire has one release before the next, that only what runs is
// paused and only what is paused resumed, that one is ready to be suspended only when paused, and that pulses are made
// only while PulsedAudio is held, is checked by the driver itself.
struct World {
  explicit World(Ladder its_ladder) : it(its_ladder), ladder(std::move(its_ladder)) {
    std::erase(ladder, TaskAssertion);
  }

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
        it.demand(Demand{event.choice % 2 == 0, event.choice % 3 == 0, static_cast<std::size_t>(event.choice % 5) / 3});
        break;
      case Step::Conditions:
        it.conditions({.low_power = event.choice % 5 == 0, .protected_data_available = event.choice % 4 != 0});
        break;
      case Step::Options:
        options(event.choice);
        break;
      case Step::Primary:
        primary(event, left);
        break;
      case Step::Task:
        it.task(static_cast<StrategyEvent>(event.choice % 7), left);
        break;
      case Step::Paused:
        finish_pause();
        break;
      case Step::Pass:
        it.pass(milliseconds(std::max(event.ms, 0)));
        break;
      case Step::Freeze:
        freezes = true;
        it.freeze(milliseconds(std::max(event.ms, 0)));
        it.deadline();
        break;
    }
    check();
  }

  void options(int choice) {
    BackgroundSyncOptions options{.mode = static_cast<BackgroundMode>(choice % 3)};
    if (choice % 4 == 0 && !ladder.empty()) {
      options.ladder.assign(ladder.rbegin(), ladder.rbegin() + 1 + choice % static_cast<int>(ladder.size()));
    }
    it.options(options);
  }

  void primary(const Event& event, std::optional<Duration> left) {
    if (!ladder.empty()) {
      const auto which = static_cast<std::size_t>(event.choice / 7) % ladder.size();
      it.event(ladder[which], static_cast<StrategyEvent>(event.choice % 7), bounded ? left : std::nullopt);
    }
  }

  void check() {
    if (state == AppState::Foreground || (!on && !it.pausing() && !it.sync_running())) {
      RC_ASSERT(!it.acquired_any());
    }
    if (state == AppState::Foreground && !it.pausing()) {
      RC_ASSERT(it.sync_running());
    }
    const auto deadline = it.keeper().next_deadline();
    RC_ASSERT(!deadline || *deadline > it.now());
    RC_ASSERT(freezes || it.trace().find("suspended") == std::string::npos);
    const auto status = it.status();
    RC_ASSERT(status.is_on == on);
    RC_ASSERT(status.syncing == it.sync_running());
    RC_ASSERT(!status.holding || it.held(status.strategy));
    RC_ASSERT(!status.reason.empty());
    RC_ASSERT(status.recoveries <= status.interruptions);
  }

  void finish_pause() {
    if (it.pausing()) {
      it.paused();
    }
  }

  // Lets everything happen that was begun: whatever is asked for a pause is done.
  void settle() {
    for (int i = 0; i < 3; ++i) {
      apply({Step::Pass, 0, 60000});
      apply({Step::Paused, 0, 0});
    }
  }

  void live_through(const std::vector<Event>& history) {
    for (const auto& event : history) {
      apply(event);
    }
  }

  void to(AppState next, int ms = -1) { apply({Step::State, static_cast<int>(next), ms}); }

  KeeperDriver it;
  Ladder ladder;  // the primaries
  bool on = false;
  bool bounded = true;  // Held may come with a time left
  bool freezes = false;
  AppState state = AppState::Foreground;
};

RC_GTEST_PROP(KeeperProperty, EveryHistoryThatEndsInTheForegroundRunsSyncAndHoldsNothing, ()) {
  World world(*ladders());
  world.live_through(*histories());
  world.to(AppState::Foreground);
  world.finish_pause();
  RC_ASSERT(world.it.sync_running());
  RC_ASSERT(!world.it.acquired_any());
  RC_ASSERT(!world.it.keeper().next_deadline());
}

RC_GTEST_PROP(KeeperProperty, ALatePauseNeverBeatsANewerResume, ()) {
  World world(*ladders());
  world.live_through(*histories());
  world.to(AppState::Foreground);
  world.it.taken();
  auto after = *histories();
  std::erase_if(after, [](const Event& event) { return event.step == Step::State; });
  world.live_through(after);
  world.finish_pause();
  RC_ASSERT(world.it.sync_running());
  RC_ASSERT(world.it.taken().find("pause") == std::string::npos);
}

RC_GTEST_PROP(KeeperProperty, EveryHistoryThatEndsWithStopHoldsNothing, ()) {
  World world(*ladders());
  world.live_through(*histories());
  world.apply({Step::Intent, 0, 0});
  world.settle();
  RC_ASSERT(!world.it.acquired_any());
}

RC_GTEST_PROP(KeeperProperty, EveryHistoryThatEndsWithNothingToSyncHoldsNothing, ()) {
  World world(*ladders());
  world.live_through(*histories());
  world.it.options({.mode = BackgroundMode::WhilePeersConnected});
  world.to(AppState::Foreground);
  world.finish_pause();
  world.it.demand(Demand{});
  world.to(AppState::Background, 5000);
  world.settle();
  RC_ASSERT(!world.it.acquired_any());
  RC_ASSERT(!world.it.sync_running());
}

RC_GTEST_PROP(KeeperProperty, InTheBackgroundWithAKnownEndEitherSomethingIsHeldOrSyncIsPausedInTime, ()) {
  World world(*ladders());
  world.bounded = false;
  world.live_through(*histories());
  const int grace = *rc::gen::inRange(0, 30000);
  world.to(AppState::Background, grace);
  world.it.task(StrategyEvent::Refused);
  world.apply({Step::Pass, 0, grace});
  world.it.task(StrategyEvent::Refused);
  const auto status = world.it.status();
  RC_ASSERT(!world.it.sync_running() || (status.holding && status.strategy != TaskAssertion));
}

// On, demanded, allowed, in the background where nobody suspends by itself.
void want(World& world) {
  world.to(AppState::Foreground);
  world.finish_pause();
  world.apply({Step::Intent, 1, 0});
  world.it.options({});
  world.it.conditions({});
  world.apply({Step::Demand, 0, 0});
  world.to(AppState::Background);
}

RC_GTEST_PROP(KeeperProperty, WhatWorksIsTriedForAsLongAsItIsWantedAndSyncRuns, ()) {
  World world({ForegroundService, SilentAudio, PulsedAudio, TaskAssertion});
  auto before = *histories();
  std::erase_if(before, [](const Event& event) { return event.step == Step::Freeze; });
  world.live_through(before);
  world.bounded = false;
  want(world);
  for (const auto& event : *histories()) {
    const bool unsupported = event.choice % 7 == static_cast<int>(StrategyEvent::Unsupported);
    if (event.step == Step::Pass || (event.step == Step::Primary && !unsupported)) {
      world.apply(event);
    }
  }
  world.apply({Step::Pass, 0, 30000});
  RC_ASSERT(std::any_of(world.ladder.begin(), world.ladder.end(), [&](auto each) { return world.it.acquired(each); }));
  RC_ASSERT(world.it.sync_running());
}

RC_GTEST_PROP(KeeperProperty, OnceABetterOneIsHeldNothingElseIs, ()) {
  World world({ForegroundService, SilentAudio, PulsedAudio, TaskAssertion});
  world.live_through(*histories());
  want(world);
  for (const auto& event : *histories()) {
    if (event.step == Step::Pass || event.step == Step::Primary || event.step == Step::Task) {
      world.apply(event);
      auto held = world.it.held();
      held.erase(TaskAssertion);
      RC_ASSERT(held.size() <= 1u);
      RC_ASSERT(held.empty() || !world.it.acquired(TaskAssertion));
    }
  }
}

}  // namespace
}  // namespace fermata::lifecycle
