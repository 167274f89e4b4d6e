#include "net/dialer.hpp"

#include <algorithm>
#include <cerrno>

#include "net/socket.hpp"

namespace fermata::net {
namespace {

constexpr Duration kHeadStart = std::chrono::milliseconds(250);
constexpr Duration kLasting = std::chrono::seconds(5);  // a link that held this long was a success

// The system's order within each family, which begins with the family of its favourite.
std::vector<Endpoint> families_in_turn(const std::vector<Endpoint>& endpoints) {
  std::vector<Endpoint> favoured, others, turns;
  for (const Endpoint& each : endpoints) {
    (each.storage.ss_family == endpoints.front().storage.ss_family ? favoured : others).push_back(each);
  }
  for (std::size_t i = 0; i < std::max(favoured.size(), others.size()); ++i) {
    if (i < favoured.size()) turns.push_back(favoured[i]);
    if (i < others.size()) turns.push_back(others[i]);
  }
  return turns;
}

}  // namespace

Dialer::Dialer(AsioLoop& loop, const TransportOptions& options, std::string address, HostPort target, Events events,
               Resolver resolver)
    : loop_(loop),
      attempt_timeout_(options.handshake_timeout),
      address_(std::move(address)),
      target_(std::move(target)),
      events_(std::move(events)),
      resolver_(std::move(resolver)),
      backoff_(options.first_redial, options.max_redial),
      timer_(loop),
      head_start_(loop) {}

void Dialer::start() {
  if (state_ != State::Stopped && state_ != State::Pausing && state_ != State::Resting) return;
  timer_.cancel();
  state_ = State::Resolving;
  resolver_(loop_, target_, [weak = weak_from_this(), round = ++round_](Result<std::vector<Endpoint>> endpoints) {
    const auto self = weak.lock();
    if (self && self->round_ == round && self->state_ == State::Resolving) self->resolved(std::move(endpoints));
  });
}

void Dialer::stop() {
  state_ = State::Stopped;
  backoff_.reset();
  timer_.cancel();
  head_start_.cancel();
  attempts_.clear();
}

void Dialer::resolved(Result<std::vector<Endpoint>> endpoints) {
  if (!endpoints) {
    pause(backoff_.next());
    return events_.on_failure(endpoints.error());
  }
  endpoints_ = families_in_turn(*endpoints);
  next_endpoint_ = 0;
  state_ = State::Connecting;
  try_next();
}

void Dialer::try_next() {
  head_start_.cancel();
  const std::size_t endpoint = next_endpoint_++;
  if (next_endpoint_ < endpoints_.size()) head_start_.set(kHeadStart, [this] { try_next(); });
  timer_.set(attempt_timeout_, [this] { attempts_timed_out(); });
  int error = 0;
  Fd socket = start_connect(endpoints_[endpoint], error);
  if (!socket) return attempt_failed(endpoint, error);
  auto& watch = attempts_[endpoint] = std::make_unique<FdWatch>(loop_, std::move(socket));
  watch->when_writable([this, endpoint] { connected(endpoint); });
}

void Dialer::attempt_failed(std::size_t endpoint, int error) {
  attempts_.erase(endpoint);
  if (next_endpoint_ < endpoints_.size()) return try_next();
  if (attempts_.empty()) give_up(error);
}

// Counted from the last one's start: the others had longer.
void Dialer::attempts_timed_out() {
  attempts_.clear();
  if (next_endpoint_ < endpoints_.size()) return try_next();
  give_up(ETIMEDOUT);
}

void Dialer::give_up(int error) {
  timer_.cancel();
  pause(backoff_.next());
  events_.on_failure({ErrorCode::Io, errno_text(error)});
}

void Dialer::connected(std::size_t endpoint) {
  const int error = connect_error(attempts_.at(endpoint)->fd());
  if (error != 0) return attempt_failed(endpoint, error);
  timer_.cancel();
  head_start_.cancel();
  state_ = State::Linked;
  Fd socket = attempts_.at(endpoint)->take();
  attempts_.clear();
  events_.on_connected(*this, std::move(socket), endpoints_[endpoint]);
}

void Dialer::ended(Duration open_for) {
  if (state_ != State::Linked) return;
  if (open_for >= kLasting) backoff_.reset();
  pause(backoff_.next());
}

void Dialer::ended_as_duplicate(Duration open_for, DeviceId device) {
  if (state_ != State::Linked) return;
  if (open_for >= kLasting) backoff_.reset();
  state_ = State::Resting;
  resting_for_ = std::move(device);
}

void Dialer::ended_at_ourselves() {
  if (state_ == State::Linked) pause(backoff_.limit());
}

// Where every link is closed soon after it opened, two that end in turn would have their dialers go round at full
// speed.
void Dialer::release(const DeviceId& device) {
  if (state_ != State::Resting || resting_for_ != device) return;
  const Instant now = loop_.now();
  const bool again = released_at_ && now - *released_at_ < kLasting;
  released_at_ = now;
  if (again) return pause(backoff_.next());
  start();
}

void Dialer::pause(Duration span) {
  state_ = State::Pausing;
  timer_.set(span, [this] { start(); });
}

}  // namespace fermata::net
