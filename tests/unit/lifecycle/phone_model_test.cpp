// The keeper against a phone that is as strict as they come: without an exemption the app is suspended when its grace
// is over, and what is released by itself starts no new grace. Whatever happens, it must never find sync running then.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <functional>
#include <map>

#include "lifecycle/keeper.hpp"

namespace fermata::lifecycle {
namespace {

using enum Strategy;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kAnswer = milliseconds(5);  // until the app hears of anything
constexpr auto kGraceTime = seconds(5);
constexpr auto kTaskTime = seconds(30);
constexpr auto kTaskWarning = seconds(5);

class Phone {
 public:
  Phone() { turn(); }

  void background() {
    if (foreground_) {
      foreground_ = false;
      alive_until_ = now_ + kGraceTime;
      keeper_.set_app_state(AppState::Background, kGraceTime, now_);
      turn();
    }
  }
  void foreground() {
    foreground_ = true;
    suspended_ = false;
    keeper_.set_app_state(AppState::Foreground, std::nullopt, now_);
    turn();
  }
  void call(Duration length) {
    if (!in_call_) {
      in_call_ = true;
      take(SilentAudio, StrategyEvent::Interrupted);
      at(length, [this] {
        in_call_ = false;
        // Who is suspended is not told.
        if (granted_.contains(SilentAudio)) tell(SilentAudio, StrategyEvent::InterruptionEnded);
      });
    }
  }
  void server_down(Duration length) {
    if (!down_) {
      down_ = true;
      take(SilentAudio, StrategyEvent::Lost);
      at(length, [this] { down_ = false; });
    }
  }
  void service_over() { take(ForegroundService, StrategyEvent::Expired); }
  void intent(bool on) {
    keeper_.set_intent(on, now_);
    turn();
  }
  void demand(bool something) {
    keeper_.set_demand({.unsynced = something}, now_);
    turn();
  }
  void conditions(bool low_power) {
    keeper_.set_conditions({.low_power = low_power}, now_);
    turn();
  }
  void give_no_service() { service_refused_ = true; }
  void give_no_task() { task_refused_ = true; }
  void pausing_takes(Duration span) { pause_takes_ = span; }

  void pass(Duration span) {
    for (const Instant until = now_ + span; now_ < until;) {
      now_ = std::min(until, next_event());
      if (suspends()) {
        RC_ASSERT(ready_);
        suspended_ = true;
      }
      run_due();
    }
  }
  [[nodiscard]] bool suspended() const { return suspended_; }
  [[nodiscard]] bool sync_running() const { return running_; }
  [[nodiscard]] const Keeper& keeper() const { return keeper_; }

 private:
  void at(Duration in, std::function<void()> what) { queue_.emplace(now_ + in, std::move(what)); }

  // An event of this acquisition, unless it is over by then or the app does not run.
  void tell(Strategy strategy, StrategyEvent event, std::optional<Duration> left = std::nullopt) {
    at(kAnswer, [=, this, of = acquisition_[strategy]] {
      if (of == acquisition_[strategy] && !suspended_) {
        keeper_.strategy_event(strategy, event, left, now_);
        turn();
      }
    });
  }
  // The system takes away what it had granted.
  void take(Strategy strategy, StrategyEvent event) {
    if (exempt_.erase(strategy) > 0) {
      alive_until_ = now_ + kGraceTime;
    }
    if (granted_.contains(strategy)) tell(strategy, event);
  }

  void on(const Acquire& it) {
    granted_[it.strategy] = true;
    if (it.strategy == TaskAssertion) {
      if (task_refused_) return tell(TaskAssertion, StrategyEvent::Refused);
      exempt_[TaskAssertion] = true;
      tell(TaskAssertion, StrategyEvent::Held, kTaskTime);
      at(kTaskTime - kTaskWarning, [=, this, of = acquisition_[TaskAssertion]] {
        if (of == acquisition_[TaskAssertion]) tell(TaskAssertion, StrategyEvent::Expired, kTaskWarning);
      });
      at(kTaskTime, [=, this, of = acquisition_[TaskAssertion]] {
        if (of == acquisition_[TaskAssertion]) exempt_.erase(TaskAssertion);
      });
    } else if (it.strategy == SilentAudio && in_call_) {
      tell(SilentAudio, StrategyEvent::Interrupted);
    } else if (it.strategy == SilentAudio ? down_ : service_refused_) {
      tell(it.strategy, StrategyEvent::Refused);
    } else {
      exempt_[it.strategy] = true;
      tell(it.strategy, StrategyEvent::Held);
    }
  }
  void on(const Release& it) {
    ++acquisition_[it.strategy];
    granted_.erase(it.strategy);
    exempt_.erase(it.strategy);
  }
  void on(const Pulse&) {}
  void on(const PauseSync& it) {
    running_ = false;
    const Instant done = std::min(now_ + pause_takes_, it.deadline);
    at(done - now_, [this] {
      keeper_.sync_paused(now_);
      turn();
    });
  }
  void on(const ResumeSync&) {
    running_ = true;
    ready_ = false;
  }
  void on(const ReadyToSuspend&) { ready_ = true; }
  void on(const SuspensionSeen&) { RC_FAIL("nobody was suspended unannounced"); }

  void turn() {
    while (const auto action = keeper_.poll()) {
      std::visit([this](const auto& it) { on(it); }, *action);
    }
  }
  [[nodiscard]] bool suspends() const { return !foreground_ && !suspended_ && exempt_.empty() && now_ >= alive_until_; }
  [[nodiscard]] Instant next_event() const {
    Instant next = queue_.empty() ? Instant::max() : queue_.begin()->first;
    if (const auto due = keeper_.next_deadline(); due && !suspended_) next = std::min(next, *due);
    if (!foreground_ && !suspended_ && exempt_.empty()) next = std::min(next, alive_until_);
    return std::max(next, now_);
  }
  void run_due() {
    while (!queue_.empty() && queue_.begin()->first <= now_) {
      const auto what = queue_.extract(queue_.begin());
      what.mapped()();
    }
    if (!suspended_) {
      keeper_.on_deadline(now_);
      turn();
    }
  }

  Keeper keeper_{{ForegroundService, SilentAudio, TaskAssertion}};
  Instant now_{std::chrono::hours(1)};
  std::multimap<Instant, std::function<void()>> queue_;
  std::map<Strategy, std::uint64_t> acquisition_;
  std::map<Strategy, bool> granted_;  // acquired by the keeper
  std::map<Strategy, bool> exempt_;   // keeps the app from being suspended, as the system sees it
  Instant alive_until_{};             // without an exemption
  bool foreground_ = true, suspended_ = false, in_call_ = false, down_ = false;
  bool service_refused_ = false, task_refused_ = false;
  bool running_ = true, ready_ = false;
  Duration pause_takes_{0};
};

struct Move {
  int kind = 0;
  int ms = 0;
};

void showValue(const Move& move, std::ostream& os) {
  os << "{" << move.kind << ", " << move.ms << "}";
}

rc::Gen<std::vector<Move>> days() {
  return rc::gen::scale(2.0, rc::gen::container<std::vector<Move>>(
                                 rc::gen::build<Move>(rc::gen::set(&Move::kind, rc::gen::inRange(0, 12)),
                                                      rc::gen::set(&Move::ms, rc::gen::inRange(0, 70000)))));
}

void make(Phone& phone, const Move& move) {
  const milliseconds span(move.ms);
  switch (move.kind) {
    case 0:
    case 1:
      return phone.background();
    case 2:
      return phone.foreground();
    case 3:
      return phone.call(span);
    case 4:
      return phone.server_down(span);
    case 5:
      return phone.service_over();
    case 6:
      return phone.intent(move.ms % 4 != 0);
    case 7:
      return phone.demand(move.ms % 4 != 0);
    case 8:
      return phone.conditions(move.ms % 4 == 0);
    default:
      return phone.pass(span);
  }
}

RC_GTEST_PROP(KeeperOnAPhone, IsNeverSuspendedWhileSyncRuns, ()) {
  Phone phone;
  if (*rc::gen::arbitrary<bool>()) phone.give_no_service();
  if (*rc::gen::arbitrary<bool>()) phone.give_no_task();
  phone.pausing_takes(milliseconds(*rc::gen::inRange(0, 5000)));
  phone.intent(true);
  phone.demand(true);
  for (const Move& move : *days()) {
    make(phone, move);
    phone.pass(kAnswer);
  }
  phone.background();
  phone.pass(seconds(120));
  phone.foreground();
  phone.pass(seconds(5));
  RC_ASSERT(phone.sync_running());
}

RC_GTEST_PROP(KeeperOnAPhone, IsNeverSuspendedWhereItsCallsAndOutagesAreShorterThanTheBridge, ()) {
  Phone phone;
  phone.give_no_service();
  phone.intent(true);
  phone.demand(true);
  phone.background();
  for (const Move& move : *days()) {
    const milliseconds span(move.ms % 20000);
    move.kind % 2 == 0 ? phone.call(span) : phone.server_down(span);
    phone.pass(span + milliseconds(500) + seconds(35));
    RC_ASSERT(phone.sync_running());
    RC_ASSERT(!phone.suspended());
    RC_ASSERT(phone.keeper().holding() == SilentAudio);
  }
}

}  // namespace
}  // namespace fermata::lifecycle
