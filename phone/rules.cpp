#include "phone/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace fermata::phone {

Rules::Rules(Policy policy, std::uint64_t seed) : policy_(std::move(policy)), random_(seed) {
  budgets_.emplace("", Budget(policy_.task, draw_early(policy_.task)));
  for (const auto& [type, rule] : policy_.services) budgets_.emplace(type, Budget(rule, draw_early(rule)));
}

void Rules::background(Instant now) {
  if (is_background()) return;
  state_ = State::Background;
  ready_ = false;
  report(Event("background", "the app leaves the screen").with("time_left_ms", policy_.grace.count()));
  settle(now);
  tell_state(now);
}

void Rules::inactive(Instant now) {
  to_front(State::Inactive, Event("inactive", "something lies over the app"), now);
}

void Rules::foreground(Instant now) {
  to_front(State::Foreground, Event("foreground", "the app is on the screen"), now);
}

void Rules::to_front(State state, Event event, Instant now) {
  if (state_ == state) return;
  state_ = state;
  report(std::move(event));
  if (frozen_) actions_.emplace_back(Thaw{});
  frozen_ = false;
  window_ = 0;
  cpu_log_.clear();
  settle(now);
  tell_state(now);
}

void Rules::playing(Instant now) {
  if (std::exchange(playing_, true)) return;
  if (media_exempts()) ready_ = false;
  report(Event("playing", "the app plays audio"));
  settle(now);
}

void Rules::not_playing(Instant now) {
  if (!std::exchange(playing_, false)) return;
  report(Event("not_playing", "the app plays no audio"));
  settle(now);
}

void Rules::player_playing(Instant now) {
  if (std::exchange(player_, true)) return;
  if (media_exempts()) ready_ = false;
  report(Event("player_playing", "the app's media player says Playing"));
  settle(now);
}

void Rules::player_not_playing(Instant now) {
  if (!std::exchange(player_, false)) return;
  report(Event("player_not_playing", "the app's media player does not say Playing any more"));
  settle(now);
}

void Rules::hello(ClientId client, Instant now) {
  actions_.emplace_back(Tell{client, state_line(now)});
}

void Rules::ready(Instant now) {
  report(Event("ready", "the app says that it may be suspended"));
  if (!is_background()) return;  // it answered to an older background; the app is in use again
  ready_ = true;
  settle(now);
}

void Rules::cpu_used(std::chrono::nanoseconds total, Instant now) {
  if (!counts_cpu()) return;
  cpu_log_.emplace_back(now, total);
  // The oldest sample that is kept lies at the window's beginning or before it.
  while (cpu_log_.size() > 2 && cpu_log_[1].first <= now - policy_.cpu.over) cpu_log_.pop_front();
  std::chrono::nanoseconds used{0};
  for (std::size_t i = 1; i < cpu_log_.size(); ++i)
    used += std::max(std::chrono::nanoseconds(0), cpu_log_[i].second - cpu_log_[i - 1].second);
  const std::chrono::duration<double> allowed = policy_.cpu.over * (policy_.cpu.percent / 100);
  if (used <= allowed) return;
  kill(fmt::format("cpu: {} ms used within {} ms in the background, more than {} %",
                   std::chrono::floor<Millis>(used).count(), policy_.cpu.over.count(), policy_.cpu.percent));
}

Millis Rules::cpu_interval() const {
  constexpr int kSamples = 40;  // in a window
  return std::max(Millis(10), policy_.cpu.over / kSamples);
}

void Rules::on_deadline(Instant now) {
  judge_tasks(now);
  if (frozen_ && window_begin_ && now >= *window_begin_) open_window(now);
  settle(now);
}

std::optional<Instant> Rules::next_deadline() const {
  if (killed_ || !is_background()) return std::nullopt;
  if (frozen_) return window_begin_;
  std::optional<Instant> next = grace_end_ ? grace_end_ : window_end_;
  for (const auto& [type, budget] : budgets_) {
    const auto verdict = budget.next_verdict();
    if (verdict && has_task_of(type) && (!next || *verdict < *next)) next = verdict;
  }
  return next;
}

std::vector<Action> Rules::take_actions() {
  return std::exchange(actions_, {});
}

bool Rules::media_exempts() const {
  return (playing_ && policy_.audio == AudioRule::Exempts) || (player_ && policy_.player == PlayerRule::Exempts);
}

std::string Rules::state_line(Instant now) const {
  if (state_ == State::Foreground) return "state foreground";
  if (state_ == State::Inactive) return "state inactive";
  const auto end = grace_end_ ? grace_end_ : window_end_;
  const Millis left = end ? std::max(Millis(0), std::chrono::ceil<Millis>(*end - now)) : policy_.grace;
  return fmt::format("state background time_left_ms={}", left.count());
}

void Rules::settle(Instant now) {
  settle_budgets(now);
  if (!is_background() || is_exempt()) {
    grace_end_.reset();
    window_end_.reset();
    if (!is_background()) window_begin_.reset();
    return;
  }
  if (frozen_ || killed_) return;
  if (ready_) return freeze(now);
  if (window_end_) {
    if (now < *window_end_) return;
    report(Event("maintenance_end", "the maintenance window is over"));
    return freeze(now);
  }
  if (!grace_end_) grace_end_ = now + policy_.grace;
  if (now < *grace_end_) return;
  report(Event("grace_over", "the grace is over"));
  freeze(now);
}

void Rules::open_window(Instant now) {
  const MaintenanceRule& rule = policy_.maintenance;
  const Millis length = rule.length[window_];
  window_ = std::min(window_ + 1, rule.every.size() - 1);
  window_begin_.reset();
  window_end_ = now + length;
  ready_ = false;
  frozen_ = false;
  report(Event("maintenance_begin", "a maintenance window begins").with("time_left_ms", length.count()));
  actions_.emplace_back(Thaw{});
  tell_state(now);
}

void Rules::freeze(Instant now) {
  grace_end_.reset();
  window_end_.reset();
  cpu_log_.clear();
  frozen_ = true;
  if (!policy_.maintenance.every.empty()) window_begin_ = now + policy_.maintenance.every[window_];
  actions_.emplace_back(Freeze{});
}

void Rules::kill(std::string reason) {
  killed_ = true;
  actions_.emplace_back(Kill{std::move(reason)});
}

}  // namespace fermata::phone
