// What the rules want done, by the real parts.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "phone/locks.hpp"
#include "phone/reclaim.hpp"
#include "phone/session.hpp"

namespace fermata::phone {
namespace {

constexpr Millis kAirplaneInterval{100};

}  // namespace

void Session::perform(const Action& action) {
  if (const auto* tell = std::get_if<Tell>(&action)) {
    lines_->send(tell->client, tell->line);
  } else if (const auto* report = std::get_if<Report>(&action)) {
    log_.write(report->event);
  } else if (const auto* kill = std::get_if<Kill>(&action)) {
    kill_program(kill->reason);
  } else if (std::holds_alternative<Thaw>(action)) {
    // Written before it is true, so that between "frozen" and "thawed" nothing of the program has run.
    log_.write(Event("thawed", "the app runs again"));
    freezer_->thaw();
  } else if (!ending_ && !script_killed_) {
    freeze();
  }
}

// Frozen first, then looked at: what a running program holds changes while one looks.
void Session::freeze() {
  if (Status frozen = freezer_->freeze(); !frozen) {
    freeze_failed_ = true;
    log_.write(Event("freeze_failed", frozen.error().message).with("reason", frozen.error().message));
    return script_failed(fmt::format("cannot suspend: {}", frozen.error().message));
  }
  const std::vector<pid_t> pids = freezer_->pids();
  log_.write(Event("frozen", fmt::format("frozen ({})", freezer_->means()))
                 .with("means", freezer_->means())
                 .with("processes", static_cast<std::int64_t>(pids.size())));
  if (options_.policy.sockets == SocketRule::Reclaim) reclaim_sockets(pids);
  if (options_.policy.locks != LockRule::Ignore) lint_locks(pids);
}

void Session::lint_locks(const std::vector<pid_t>& pids) {
  const std::vector<HeldLock> locks = locks_of(pids);
  if (locks.empty()) return;
  ++lock_violations_;
  std::vector<std::string> json;
  std::vector<std::string> words;
  for (const HeldLock& lock : locks) {
    json.push_back(fmt::format(R"({{"pid":{},"kind":{},"mode":{},"path":{}}})", lock.pid, json_string(lock.kind),
                               json_string(lock.mode), json_string(lock.path)));
    words.push_back(fmt::format("{} {} on {}", lock.kind, lock.mode, lock.path));
  }
  log_.write(Event("lock_violation", fmt::format("locks held while suspended: {}", fmt::join(words, ", ")))
                 .with("count", static_cast<std::int64_t>(locks.size()))
                 .with_json("locks", fmt::format("[{}]", fmt::join(json, ","))));
  if (options_.policy.locks == LockRule::Kill)
    kill_program(fmt::format("0xdead10cc: suspended with a lock on {}", locks.front().path));
}

void Session::reclaim_sockets(const std::vector<pid_t>& pids) {
  const Reclaimed result = reclaim_tcp_sockets(pids, Sockets::All);
  Event event("reclaimed", result.sockets > 0 ? fmt::format("{} TCP sockets reclaimed", result.sockets) : "");
  event.with("count", result.sockets).with("failed", result.failed);
  if (result.failed > 0) event.with("problem", result.problem);
  if (result.sockets > 0) event.about(fmt::format("{} sockets taken", result.sockets));
  log_.write(event);
}

void Session::kill_program(const std::string& reason) {
  killed_ = ending_ = true;
  log_.write(Event("killed", fmt::format("killed: {}", reason)).with("reason", reason));
  kill_now();
}

void Session::count_cpu() {
  counting_cpu_ = running_ && rules_.counts_cpu();
  if (!counting_cpu_) return;
  rules_.cpu_used(freezer_->cpu_used(), Loop::now());
  cpu_timer_->arm(Loop::now() + rules_.cpu_interval());
  pump();
}

// A phone without a network has no connections; listeners stay, as they do on one.
void Session::on_airplane_time() {
  if (!airplane_end_) return;
  if (Loop::now() >= *airplane_end_) {
    airplane_end_.reset();
    log_.write(Event("airplane_end", "the network is back"));
    return script_ ? script_->advance() : void();
  }
  if (running_) (void)reclaim_tcp_sockets(freezer_->pids(), Sockets::Connections);
  airplane_timer_->arm(std::min(*airplane_end_, Loop::now() + kAirplaneInterval));
}

}  // namespace fermata::phone
