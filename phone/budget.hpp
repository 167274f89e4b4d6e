// The time that tasks of one kind share, as a pure state machine.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "phone/policy.hpp"

namespace fermata::phone {

using Instant = std::chrono::nanoseconds;  // since boot, suspend included (CLOCK_BOOTTIME)

// Counts while it runs. What it promises is the rule's duration; it really ends earlier by `early`, which whoever
// renews it has drawn.
class Budget {
 public:
  Budget(const BudgetRule& rule, Millis early) : rule_(rule), early_(early) {}

  // Harmless when it runs already, or does not.
  void run(Instant now);
  void pause(Instant now);
  void renew(Millis early);  // all time is given back, and none runs

  [[nodiscard]] bool runs() const { return since_.has_value(); }
  // As promised; nothing: no end. Rounded up: a program told 0 ms would believe that it is too late.
  [[nodiscard]] std::optional<Millis> left(Instant now) const;
  [[nodiscard]] Millis really_left(Instant now) const;  // only where there is an end
  [[nodiscard]] bool is_spent(Instant now) const;       // no task can begin any more
  [[nodiscard]] bool is_due_back(Instant now) const;    // the rule's `per` is over since the first use

  enum class Verdict : std::uint8_t { Nothing, Expiring, Over };
  // Expiring once a budget, when its notice is due; Over from the end of the overrun on.
  [[nodiscard]] Verdict judge(Instant now);
  // When judge() will say something; nothing while it does not run.
  [[nodiscard]] std::optional<Instant> next_verdict() const;

 private:
  [[nodiscard]] Instant used(Instant now) const { return used_ + (since_ ? now - *since_ : Instant(0)); }
  [[nodiscard]] Instant end() const { return *since_ + (*rule_.duration - early_ - used_); }

  BudgetRule rule_;
  Millis early_;
  Instant used_{0};
  std::optional<Instant> since_;  // it runs
  std::optional<Instant> first_;  // use since it was renewed
  bool expiring_ = false;         // the notice has been given
};

}  // namespace fermata::phone
