// The background rules as a pure state machine: events and the time go in, actions come out. No I/O, no clock, one
// thread. The phone (session.cpp) feeds it and performs what it decides.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "phone/budget.hpp"
#include "phone/events.hpp"
#include "phone/policy.hpp"

namespace fermata::phone {

using ClientId = std::uint64_t;  // one connection of the program to the phone's socket
inline constexpr ClientId kEveryClient = 0;
inline constexpr std::size_t kLongestName = 128;  // bytes; of a task, and of what is delivered
inline constexpr std::size_t kMostTasks = 64;     // live ones of one client

struct Tell {  // a protocol line for the program, without the newline
  ClientId client = kEveryClient;
  std::string line;
};
struct Freeze {};
struct Thaw {};
struct Kill {
  std::string reason;
};
struct Report {
  Event event;
};
using Action = std::variant<Tell, Freeze, Thaw, Kill, Report>;

// Foreground and inactive (on the screen, but something lies over it): nothing is ever suspended. Background: a program
// is exempt while it plays, while its media player says so (each if the policy agrees), or while it has a live task;
// once it has not been exempt for the whole grace, or as soon as it says that it is ready, it is frozen; maintenance
// windows let it run now and then.
// Tasks without a type share one budget, which counts while the program is in the background and does not play; so
// tasks cannot be chained to live for ever. Tasks of a service type share that type's, which counts while one of them
// lives in the background. Every call may add actions; perform them in order.
class Rules {
 public:
  // `seed`: for how much earlier than promised budgets end.
  Rules(Policy policy, std::uint64_t seed);

  void background(Instant now);
  void inactive(Instant now);
  void foreground(Instant now);
  void playing(Instant now);
  void not_playing(Instant now);
  void player_playing(Instant now);
  void player_not_playing(Instant now);
  void hello(ClientId client, Instant now);
  // Refused beyond the limits above.
  void task_begin(ClientId client, std::string_view name, Instant now);
  void task_end(ClientId client, std::string_view name, Instant now);
  void client_gone(ClientId client, Instant now);  // its tasks end
  void ready(Instant now);
  // All processor time that the program has used so far. To be told at least every cpu_interval() while counts_cpu().
  void cpu_used(std::chrono::nanoseconds total, Instant now);
  void on_deadline(Instant now);  // at or after next_deadline(); harmless before

  // When on_deadline() must be called, unless something else happens first.
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  [[nodiscard]] std::vector<Action> take_actions();
  [[nodiscard]] bool is_frozen() const { return frozen_; }
  [[nodiscard]] bool is_background() const { return state_ == State::Background; }
  [[nodiscard]] bool is_playing() const { return playing_; }
  [[nodiscard]] bool counts_cpu() const { return policy_.cpu.percent > 0 && is_background() && !frozen_ && !killed_; }
  [[nodiscard]] Millis cpu_interval() const;

 private:
  enum class State : std::uint8_t { Foreground, Inactive, Background };
  struct Task {
    ClientId client;
    std::string name;
    std::string type;  // key of budgets_; empty: none
  };

  void to_front(State state, Event event, Instant now);
  [[nodiscard]] bool media_exempts() const;
  [[nodiscard]] bool is_exempt() const { return media_exempts() || !tasks_.empty(); }
  [[nodiscard]] bool has_task_of(const std::string& type) const;
  [[nodiscard]] std::string state_line(Instant now) const;
  [[nodiscard]] Millis draw_early(const BudgetRule& rule);
  // The budget of a task with this name and its type, or why it is refused.
  struct Admission {
    std::string type;
    std::string_view refusal;
  };
  [[nodiscard]] Admission admit(ClientId client, std::string_view name, Instant now) const;
  void refuse(ClientId client, std::string_view name, std::string_view reason);
  [[nodiscard]] bool has_task(ClientId client, std::string_view name) const;
  void settle(Instant now);
  void settle_budgets(Instant now);
  void judge_tasks(Instant now);
  void announce_expiry(const std::string& type, const Budget& budget, Instant now);
  void open_window(Instant now);
  void freeze(Instant now);
  void kill(std::string reason);
  void report(Event event) { actions_.emplace_back(Report{std::move(event)}); }
  void tell_state(Instant now) { actions_.emplace_back(Tell{kEveryClient, state_line(now)}); }

  Policy policy_;
  std::mt19937_64 random_;
  State state_ = State::Foreground;
  bool playing_ = false;
  bool player_ = false;  // a media player says "Playing"
  bool frozen_ = false;
  bool ready_ = false;  // said since the last exemption or window began
  bool killed_ = false;
  std::optional<Instant> grace_end_;     // set while in the background, running, not exempt and in no window
  std::optional<Instant> window_begin_;  // set while frozen, if the policy has windows
  std::optional<Instant> window_end_;    // set in a window
  std::size_t window_ = 0;               // which one comes next
  std::vector<Task> tasks_;
  std::map<std::string, Budget> budgets_;                             // by type
  std::deque<std::pair<Instant, std::chrono::nanoseconds>> cpu_log_;  // (when, total), the last over_ms
  std::vector<Action> actions_;
};

}  // namespace fermata::phone
