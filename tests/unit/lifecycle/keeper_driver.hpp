// Drives a Keeper by hand: a clock that only moves when told, the actions as words, and the obligations of whoever
// performs them (every Acquire has one Release before the next) checked on the way.
#pragma once

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "lifecycle/keeper.hpp"

namespace fermata::lifecycle {

using std::chrono::milliseconds;
using std::chrono::seconds;

class KeeperDriver {
 public:
  explicit KeeperDriver(std::vector<Strategy> ladder = {Strategy::SilentAudio, Strategy::TaskAssertion})
      : keeper_(std::move(ladder)) {}

  void intent(bool on) {
    keeper_.set_intent(on, now_);
    perform();
  }
  void demand(bool something) { demand(Demand{.unsynced = something}); }
  void demand(const Demand& demand) {
    keeper_.set_demand(demand, now_);
    perform();
  }
  void options(const BackgroundSyncOptions& options) {
    keeper_.set_options(options, now_);
    perform();
  }
  void conditions(const Conditions& conditions) {
    keeper_.set_conditions(conditions, now_);
    perform();
  }
  void state(AppState state, std::optional<Duration> time_left = std::nullopt) {
    keeper_.set_app_state(state, time_left, now_);
    perform();
  }
  void event(Strategy strategy, StrategyEvent event, std::optional<Duration> time_left = std::nullopt) {
    if (event == StrategyEvent::Held && acquired(strategy)) {
      held_.insert(strategy);
    } else if (event != StrategyEvent::InterruptionEnded &&
               !(event == StrategyEvent::Interrupted && strategy == Strategy::TaskAssertion)) {
      held_.erase(strategy);
    }
    keeper_.strategy_event(strategy, event, time_left, now_);
    perform();
  }
  void audio(StrategyEvent what) { event(Strategy::SilentAudio, what); }
  void task(StrategyEvent what, std::optional<Duration> time_left = std::nullopt) {
    event(Strategy::TaskAssertion, what, time_left);
  }
  void paused() {
    pausing_ = false;
    keeper_.sync_paused(now_);
    perform();
  }
  // Lets time pass, stopping at every deadline.
  void pass(Duration span) {
    const Instant until = now_ + span;
    for (int turns = 0; keeper_.next_deadline() && *keeper_.next_deadline() <= until; ++turns) {
      ASSERT_LT(turns, 10000) << "deadlines make no progress: " << trace();
      now_ = std::max(now_, *keeper_.next_deadline());
      keeper_.on_deadline(now_);
      perform();
    }
    now_ = until;
  }
  // The process does not run for that long: deadlines pass unheeded.
  void freeze(Duration span) { now_ += span; }
  void deadline() {
    keeper_.on_deadline(now_);
    perform();
  }

  // The actions since the last call, such as "acquire silent_audio, pause 1125". A pause tells its milliseconds.
  std::string taken() { return std::exchange(taken_, {}); }
  [[nodiscard]] const std::string& trace() const { return trace_; }
  [[nodiscard]] bool acquired(Strategy strategy) const { return acquired_.contains(strategy); }
  [[nodiscard]] bool acquired_any() const { return !acquired_.empty(); }
  [[nodiscard]] bool held(Strategy strategy) const { return held_.contains(strategy); }  // as the platform sees it
  [[nodiscard]] const std::set<Strategy>& held() const { return held_; }
  [[nodiscard]] bool pausing() const { return pausing_; }
  [[nodiscard]] bool sync_running() const { return sync_running_; }
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] GapCause cause() const { return cause_; }  // of the last pause
  [[nodiscard]] const Keeper& keeper() const { return keeper_; }
  [[nodiscard]] Keeper& keeper() { return keeper_; }
  [[nodiscard]] BackgroundSyncStatus status() const { return keeper_.status(); }

 private:
  void perform() {
    while (const auto action = keeper_.poll()) {
      std::visit([this](const auto& it) { on(it); }, *action);
    }
  }
  void note(const std::string& word) {
    taken_ += (taken_.empty() ? "" : ", ") + word;
    trace_ += (trace_.empty() ? "" : ", ") + word;
  }
  void on(const Acquire& it) {
    note(fmt::format("acquire {}", name_of(it.strategy)));
    EXPECT_TRUE(acquired_.insert(it.strategy).second) << "acquired twice: " << trace_;
  }
  void on(const Release& it) {
    note(fmt::format("release {}", name_of(it.strategy)));
    EXPECT_EQ(acquired_.erase(it.strategy), 1u) << "released without an acquire: " << trace_;
    held_.erase(it.strategy);
  }
  void on(const Pulse& it) {
    note(fmt::format("pulse {}", std::chrono::duration_cast<milliseconds>(it.length).count()));
    EXPECT_TRUE(held(Strategy::PulsedAudio)) << "pulse of what is not held: " << trace_;
    EXPECT_GT(it.length, Duration::zero()) << trace_;
  }
  void on(const SuspensionSeen& it) {
    note(fmt::format("suspended {}", std::chrono::duration_cast<milliseconds>(it.to - it.from).count()));
    EXPECT_EQ(it.to, now_) << trace_;
  }
  void on(const PauseSync& it) {
    note(fmt::format("pause {}", std::chrono::duration_cast<milliseconds>(it.deadline - now_).count()));
    EXPECT_TRUE(sync_running_ && !pausing_) << "paused what does not run: " << trace_;
    EXPECT_GT(it.deadline, now_) << trace_;
    cause_ = it.cause;
    pausing_ = true;
    sync_running_ = false;
  }
  void on(const ResumeSync&) {
    note("resume");
    EXPECT_TRUE(!sync_running_ && !pausing_) << "resumed what is not paused: " << trace_;
    sync_running_ = true;
  }
  void on(const ReadyToSuspend&) {
    note("ready");
    EXPECT_TRUE(!sync_running_ && !pausing_) << "ready while sync runs: " << trace_;
  }

  Keeper keeper_;
  Instant now_{std::chrono::hours(1)};
  std::set<Strategy> acquired_;
  std::set<Strategy> held_;
  GapCause cause_ = GapCause::NoPeers;
  bool pausing_ = false;
  bool sync_running_ = true;
  std::string taken_;
  std::string trace_;
};

inline constexpr auto kGrace = seconds(5);

// On, demanded, in the background with a grace; silent audio held.
inline KeeperDriver held_in_background() {
  KeeperDriver it;
  it.intent(true);
  it.demand(true);
  it.state(AppState::Background, kGrace);
  it.audio(StrategyEvent::Held);
  it.taken();
  return it;
}

}  // namespace fermata::lifecycle
