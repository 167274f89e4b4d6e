// What the rules do about tasks and their budgets.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "phone/rules.hpp"

namespace fermata::phone {

void Rules::task_begin(ClientId client, std::string_view name, Instant now) {
  for (auto& [type, budget] : budgets_) {
    const BudgetRule& rule = type.empty() ? policy_.task : policy_.services.at(type);
    if (budget.is_due_back(now) && !has_task_of(type)) budget.renew(draw_early(rule));
  }
  const Admission admission = admit(client, name, now);
  if (!admission.refusal.empty()) return refuse(client, name, admission.refusal);
  if (!has_task(client, name)) tasks_.push_back({client, std::string(name), admission.type});
  ready_ = false;
  const auto left = budgets_.at(admission.type).left(now);
  Event begin("task_begin", fmt::format("task {} begins{}", name, left ? fmt::format(", {} ms", left->count()) : ""));
  begin.with("name", name);
  if (left) begin.with("time_left_ms", left->count());
  report(std::move(begin));
  actions_.emplace_back(
      Tell{client, fmt::format("task granted {}{}", name, left ? fmt::format(" time_left_ms={}", left->count()) : "")});
  settle(now);
}

void Rules::refuse(ClientId client, std::string_view name, std::string_view reason) {
  const std::string_view said = name.substr(0, kLongestName);
  report(Event("task_refused", fmt::format("task {} refused: {}", said, reason))
             .with("name", said)
             .with("reason", reason));
  actions_.emplace_back(Tell{client, fmt::format("task refused {} {}", name, reason)});
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

bool Rules::has_task_of(const std::string& type) const {
  return std::any_of(tasks_.begin(), tasks_.end(), [&](const Task& task) { return task.type == type; });
}

bool Rules::has_task(ClientId client, std::string_view name) const {
  return std::any_of(tasks_.begin(), tasks_.end(),
                     [&](const Task& task) { return task.client == client && task.name == name; });
}

Rules::Admission Rules::admit(ClientId client, std::string_view name, Instant now) const {
  if (name.size() > kLongestName) return {{}, "name-too-long"};
  const auto live =
      std::count_if(tasks_.begin(), tasks_.end(), [&](const Task& task) { return task.client == client; });
  if (live >= static_cast<std::ptrdiff_t>(kMostTasks) && !has_task(client, name)) return {{}, "too-many-tasks"};
  const std::size_t colon = policy_.services.empty() ? std::string_view::npos : name.find(':');
  std::string type(colon == std::string_view::npos ? "" : name.substr(0, colon));
  const auto budget = budgets_.find(type);
  if (budget == budgets_.end()) return {{}, "unknown-type"};
  if (type.empty() && policy_.task.duration == Millis(0)) return {{}, "unsupported"};
  // As iOS: the budget belongs to the app, a new task does not renew it.
  if (budget->second.is_spent(now)) return {{}, "budget-spent"};
  return {std::move(type), {}};
}

Millis Rules::draw_early(const BudgetRule& rule) {
  // Not a standard distribution: those draw differently from library to library.
  return Millis(static_cast<Millis::rep>(random_() % (static_cast<std::uint64_t>(rule.early.count()) + 1)));
}

void Rules::settle_budgets(Instant now) {
  for (auto& [type, budget] : budgets_) {
    const BudgetRule& rule = type.empty() ? policy_.task : policy_.services.at(type);
    const bool given_back = !is_background() || (type.empty() && media_exempts());
    if (given_back) {
      if (budget.runs() || budget.left(now) != rule.duration) budget.renew(draw_early(rule));
    } else if (type.empty() || has_task_of(type)) {
      budget.run(now);
    } else {
      budget.pause(now);
    }
  }
}

void Rules::judge_tasks(Instant now) {
  if (killed_ || frozen_) return;
  for (auto& [type, budget] : budgets_) {
    if (!has_task_of(type)) continue;
    const Budget::Verdict verdict = budget.judge(now);
    if (verdict == Budget::Verdict::Expiring) announce_expiry(type, budget, now);
    if (verdict != Budget::Verdict::Over) continue;
    const auto task =
        std::find_if(tasks_.begin(), tasks_.end(), [&type = type](const Task& live) { return live.type == type; });
    return kill(fmt::format("0x8badf00d: task {} was not ended in time", task->name));
  }
}

void Rules::announce_expiry(const std::string& type, const Budget& budget, Instant now) {
  const auto left = budget.really_left(now).count();
  for (const Task& task : tasks_) {
    if (task.type != type) continue;
    report(Event("task_expiring", fmt::format("task {} expires in {} ms", task.name, left))
               .with("name", task.name)
               .with("time_left_ms", left));
    actions_.emplace_back(Tell{task.client, fmt::format("task expiring {} time_left_ms={}", task.name, left)});
  }
}

}  // namespace fermata::phone
