#include "phone/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace fermata::phone {
namespace {

// Rounded up: a program told 0 ms would believe that it is too late.
Millis until(Instant end, Instant now) {
  return std::max(Millis(0), std::chrono::ceil<Millis>(end - now));
}

}  // namespace

Rules::Rules(Policy policy) : policy_(std::move(policy)) {}

void Rules::background(Instant now) {
  if (background_) return;
  background_ = true;
  ready_ = false;
  report(Event("background", "the app leaves the screen").with("time_left_ms", policy_.grace.count()));
  settle(now);
  actions_.emplace_back(Tell{kEveryClient, state_line(now)});
}

void Rules::foreground(Instant now) {
  if (!background_) return;
  background_ = false;
  report(Event("foreground", "the app is back on the screen"));
  if (frozen_) actions_.emplace_back(Thaw{});
  frozen_ = false;
  settle(now);
  actions_.emplace_back(Tell{kEveryClient, state_line(now)});
}

void Rules::playing(Instant now) {
  if (playing_) return;
  playing_ = true;
  if (policy_.audio == AudioRule::Exempts) ready_ = false;
  report(Event("playing", "the app plays audio"));
  settle(now);
}

void Rules::not_playing(Instant now) {
  if (!playing_) return;
  playing_ = false;
  report(Event("not_playing", "the app plays no audio"));
  settle(now);
}

void Rules::hello(ClientId client, Instant now) {
  actions_.emplace_back(Tell{client, state_line(now)});
}

void Rules::task_begin(ClientId client, std::string_view name, Instant now) {
  std::string_view refusal;
  if (policy_.task_duration == Millis(0)) {
    refusal = "unsupported";
  } else if (budget_left(now) <= policy_.task_notice) {
    refusal = "budget-spent";  // as iOS: the budget belongs to the app, a new task does not renew it
  }
  if (!refusal.empty()) {
    report(Event("task_refused", fmt::format("task {} refused: {}", name, refusal))
               .with("name", name)
               .with("reason", refusal));
    actions_.emplace_back(Tell{client, fmt::format("task refused {} {}", name, refusal)});
    return;
  }
  const bool known = std::any_of(tasks_.begin(), tasks_.end(),
                                 [&](const Task& task) { return task.client == client && task.name == name; });
  if (!known) tasks_.push_back({client, std::string(name)});
  ready_ = false;
  const auto left = budget_left(now).count();
  report(Event("task_begin", fmt::format("task {} begins, {} ms", name, left))
             .with("name", name)
             .with("time_left_ms", left));
  actions_.emplace_back(Tell{client, fmt::format("task granted {} time_left_ms={}", name, left)});
  settle(now);
}

void Rules::task_end(ClientId client, std::string_view name, Instant now) {
  const auto found = std::find_if(tasks_.begin(), tasks_.end(),
                                  [&](const Task& task) { return task.client == client && task.name == name; });
  if (found == tasks_.end()) return;
  tasks_.erase(found);
  report(Event("task_end", fmt::format("task {} ends", name)).with("name", name));
  settle(now);
}

void Rules::client_gone(ClientId client, Instant now) {
  const auto gone =
      std::stable_partition(tasks_.begin(), tasks_.end(), [&](const Task& task) { return task.client != client; });
  for (auto task = gone; task != tasks_.end(); ++task)
    report(Event("task_end", fmt::format("task {} ends with its connection", task->name)).with("name", task->name));
  tasks_.erase(gone, tasks_.end());
  settle(now);
}

void Rules::ready(Instant now) {
  report(Event("ready", "the app says that it may be suspended"));
  if (!background_) return;  // it answered to an older background; the app is in use again
  ready_ = true;
  settle(now);
}

void Rules::on_deadline(Instant now) {
  expire_tasks(now);
  settle(now);
}

std::optional<Instant> Rules::next_deadline() const {
  if (killed_ || frozen_ || !background_) return std::nullopt;
  if (grace_end_) return grace_end_;
  if (budget_end_ && !tasks_.empty())
    return expiring_ ? *budget_end_ + policy_.task_overrun : *budget_end_ - policy_.task_notice;
  return std::nullopt;
}

std::vector<Action> Rules::take_actions() {
  return std::exchange(actions_, {});
}

std::string Rules::state_line(Instant now) const {
  if (!background_) return "state foreground";
  const Millis left = grace_end_ ? until(*grace_end_, now) : policy_.grace;
  return fmt::format("state background time_left_ms={}", left.count());
}

Millis Rules::budget_left(Instant now) const {
  return budget_end_ ? until(*budget_end_, now) : policy_.task_duration;
}

void Rules::settle(Instant now) {
  settle_budget(now);
  if (!background_ || is_exempt()) {
    grace_end_.reset();
    return;
  }
  if (frozen_ || killed_) return;
  if (ready_) return freeze();
  if (!grace_end_) grace_end_ = now + policy_.grace;
  if (now < *grace_end_) return;
  report(Event("grace_over", "the grace is over"));
  freeze();
}

void Rules::settle_budget(Instant now) {
  if (!background_ || audio_exempts()) {
    budget_end_.reset();
    expiring_ = false;
  } else if (!budget_end_) {
    budget_end_ = now + policy_.task_duration;
  }
}

void Rules::expire_tasks(Instant now) {
  if (!budget_end_ || tasks_.empty() || killed_) return;
  if (!expiring_ && now >= *budget_end_ - policy_.task_notice) {
    expiring_ = true;
    for (const Task& task : tasks_) {
      const auto left = until(*budget_end_, now).count();
      report(Event("task_expiring", fmt::format("task {} expires in {} ms", task.name, left))
                 .with("name", task.name)
                 .with("time_left_ms", left));
      actions_.emplace_back(Tell{task.client, fmt::format("task expiring {} time_left_ms={}", task.name, left)});
    }
  }
  if (now < *budget_end_ + policy_.task_overrun) return;
  killed_ = true;
  actions_.emplace_back(Kill{fmt::format("0x8badf00d: task {} was not ended in time", tasks_.front().name)});
}

void Rules::freeze() {
  grace_end_.reset();
  frozen_ = true;
  actions_.emplace_back(Freeze{});
}

}  // namespace fermata::phone
