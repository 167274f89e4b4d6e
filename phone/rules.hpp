// The background rules as a pure state machine: events and the time go in, actions come out. No I/O, no clock, one
// thread. The phone (phone.cpp) feeds it and performs what it decides.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "phone/events.hpp"
#include "phone/policy.hpp"

namespace fermata::phone {

using Instant = std::chrono::nanoseconds;  // since boot, suspend included (CLOCK_BOOTTIME)
using ClientId = std::uint64_t;            // one connection of the program to the phone's socket
inline constexpr ClientId kEveryClient = 0;

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

// Foreground: nothing is ever suspended. Background: a program is exempt while it plays (if the policy says so) or has
// a live task; once it has not been exempt for the whole grace, or as soon as it says that it is ready, it is frozen.
// All tasks share one budget, which counts while the program is in the background and does not play; so tasks cannot be
// chained to live for ever. Every call may add actions; perform them in order.
class Rules {
 public:
  explicit Rules(Policy policy);

  void background(Instant now);
  void foreground(Instant now);
  void playing(Instant now);
  void not_playing(Instant now);
  void hello(ClientId client, Instant now);
  void task_begin(ClientId client, std::string_view name, Instant now);
  void task_end(ClientId client, std::string_view name, Instant now);
  void client_gone(ClientId client, Instant now);  // its tasks end
  void ready(Instant now);
  void on_deadline(Instant now);  // at or after next_deadline(); harmless before

  // When on_deadline() must be called, unless something else happens first.
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  [[nodiscard]] std::vector<Action> take_actions();
  [[nodiscard]] bool is_frozen() const { return frozen_; }
  [[nodiscard]] bool is_background() const { return background_; }
  [[nodiscard]] bool is_playing() const { return playing_; }

 private:
  struct Task {
    ClientId client;
    std::string name;
  };

  [[nodiscard]] bool audio_exempts() const { return playing_ && policy_.audio == AudioRule::Exempts; }
  [[nodiscard]] bool is_exempt() const { return audio_exempts() || !tasks_.empty(); }
  [[nodiscard]] std::string state_line(Instant now) const;
  [[nodiscard]] Millis budget_left(Instant now) const;
  void settle(Instant now);
  void settle_budget(Instant now);
  void expire_tasks(Instant now);
  void freeze();
  void report(Event event) { actions_.emplace_back(Report{std::move(event)}); }

  Policy policy_;
  bool background_ = false;
  bool playing_ = false;
  bool frozen_ = false;
  bool ready_ = false;     // said since the last exemption began
  bool expiring_ = false;  // the notice of this budget has been given
  bool killed_ = false;
  std::optional<Instant> grace_end_;   // set while in the background, running and not exempt
  std::optional<Instant> budget_end_;  // set while in the background and not playing
  std::vector<Task> tasks_;
  std::vector<Action> actions_;
};

}  // namespace fermata::phone
