// The rules on virtual time, for their tests.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "phone/rules.hpp"

namespace fermata::phone {

using std::chrono::milliseconds;

inline Policy test_policy() {
  Policy policy;
  policy.grace = Millis(5000);
  policy.task.duration = Millis(30'000);
  policy.task.notice = Millis(5000);
  policy.task.overrun = Millis(1000);
  return policy;
}

// Rules with a clock that the test moves; deadlines on the way are kept exactly.
class Bench {
 public:
  explicit Bench(const Policy& policy = test_policy(), std::uint64_t seed = 1) : rules(policy, seed) {}

  void advance(milliseconds span) {
    const Instant end = now + span;
    for (auto next = rules.next_deadline(); next && *next <= end; next = rules.next_deadline()) {
      now = std::max(now, *next);
      rules.on_deadline(now);
      take();
    }
    now = end;
    take();
  }
  void take() {
    for (const Action& action : rules.take_actions()) {
      if (const auto* tell = std::get_if<Tell>(&action)) told.push_back(tell->line);
      if (std::holds_alternative<Freeze>(action)) ++freezes;
      if (std::holds_alternative<Thaw>(action)) ++thaws;
      if (const auto* kill = std::get_if<Kill>(&action)) kills.push_back(kill->reason);
    }
  }

  Rules rules;
  Instant now{1'000'000'000};
  std::vector<std::string> told;
  std::vector<std::string> kills;
  int freezes = 0;
  int thaws = 0;
};

}  // namespace fermata::phone
