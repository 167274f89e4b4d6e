// What becomes due, and whether the remote shows signs of life.
#include <fmt/format.h>

#include <algorithm>

#include "sync/session.hpp"

namespace fermata::sync {
namespace {

// A deadline that is noticed so late was slept through.
constexpr Duration kSlept = std::chrono::seconds(10);

}  // namespace

Status Session::on(const Ping& ping) {
  outlet_.send(encode(Pong{ping.nonce}));
  return check_progress();  // we do not ask for a sign of life as long as we get one
}

// Only the answer to the latest question shows that the link lives: other frames may have waited in a buffer.
Status Session::on(const Pong& pong) {
  if (pong.nonce == pings_) probe_deadline_.reset();
  return {};
}

// What a remote offers may have to come from somebody else.
bool Session::awaits() const {
  if (!greeted_ || shared_.draining) return false;
  return repair_.busy() || mirror_.busy() || (!intake_.caught_up() && !intake_.waits_for_offers());
}

Status Session::check_progress() {
  const EngineOptions& options = shared_.options;
  const Duration waited = now_ - progressed_;
  if (waited < options.stalled_after || !awaits()) return {};
  // Who slept himself has no right to complain.
  if (waited < options.stalled_after + options.heartbeat + kSlept)
    return fail(ErrorCode::Timeout, fmt::format("{} answers, but not what it was asked", link_.address));
  progressed_ = now_;
  return {};
}

void Session::probe(Instant deadline, Instant now) {
  feed_.wait_anew();
  progressed_ = now_ = now;
  probe_deadline_ = deadline;
  outlet_.send(encode(Ping{++pings_}));
}

Instant Session::deadline() const {
  const EngineOptions& options = shared_.options;
  Instant next = pinged_ ? *pinged_ + (options.dead_after - options.heartbeat) : heard_ + options.heartbeat;
  if (probe_deadline_) next = std::min(next, *probe_deadline_);
  next = std::min(next, compare_.deadline().value_or(next));
  if (const auto since = feed_.waiting_since()) next = std::min(next, *since + options.stalled_after);
  if (feed_.interrupted()) next = std::min(next, shared_.now);
  // While we drain, nothing more is asked for.
  const auto due = shared_.draining ? std::nullopt : intake_.deadline();
  return due ? std::min(next, *due) : next;
}

void Session::ask_for_overdue() {
  bool asked = false;
  while (auto overdue = intake_.overdue(now_)) {
    ask_for(*overdue);
    asked = true;
  }
  if (asked) acknowledge();
}

Status Session::on_deadline(Instant now) {
  now_ = now;
  if (feed_.interrupted()) {
    if (auto pumped = feed_.pump(); !pumped || feed_.interrupted()) return pumped;
  }
  if (!shared_.draining) ask_for_overdue();
  if (now < deadline()) return {};
  if (auto compared = compare_.consider(link_.remote, quiet(), now); !compared) return compared;
  if (now < deadline()) return {};
  if (const auto since = feed_.waiting_since(); since && now >= *since + shared_.options.stalled_after) {
    // Who slept himself has no right to complain.
    if (now < *since + shared_.options.stalled_after + kSlept)
      return fail(ErrorCode::Timeout, fmt::format("{} answers, but acknowledges nothing", link_.address));
    feed_.wait_anew();
    return {};
  }
  if (pinged_ || (probe_deadline_ && now >= *probe_deadline_))
    return fail(ErrorCode::Timeout, fmt::format("no sign of life from {}", link_.address));
  if (auto checked = check_progress(); !checked) return checked;
  // Even after a long sleep of our own: the remote gets its chance to answer.
  pinged_ = now;
  outlet_.send(encode(Ping{++pings_}));
  return {};
}

}  // namespace fermata::sync
