#include "net/dialer.hpp"

#include <cerrno>

#include "net/resolver.hpp"
#include "net/socket.hpp"

namespace fermata::net {
namespace {

constexpr Duration kLasting = std::chrono::seconds(5);  // a link that held this long was a success

}  // namespace

Dialer::Dialer(AsioLoop& loop, const TransportOptions& options, std::string address, HostPort target, Events events)
    : loop_(loop),
      attempt_timeout_(options.handshake_timeout),
      address_(std::move(address)),
      target_(std::move(target)),
      events_(std::move(events)),
      backoff_(options.first_redial, options.max_redial),
      timer_(loop) {}

void Dialer::start() {
  if (state_ != State::Stopped && state_ != State::Pausing && state_ != State::Resting) return;
  timer_.cancel();
  state_ = State::Resolving;
  resolve(loop_, target_, [weak = weak_from_this(), round = ++round_](Result<std::vector<Endpoint>> endpoints) {
    const auto self = weak.lock();
    if (self && self->round_ == round && self->state_ == State::Resolving) self->resolved(std::move(endpoints));
  });
}

void Dialer::stop() {
  state_ = State::Stopped;
  backoff_.reset();
  timer_.cancel();
  watch_.reset();
}

void Dialer::resolved(Result<std::vector<Endpoint>> endpoints) {
  if (!endpoints) {
    pause(backoff_.next());
    return events_.on_failure(endpoints.error());
  }
  endpoints_ = std::move(*endpoints);
  next_endpoint_ = 0;
  try_next();
}

void Dialer::try_next() {
  state_ = State::Connecting;
  int error = 0;
  Fd socket = start_connect(endpoints_[next_endpoint_++], error);
  if (!socket) return attempt_failed(error);
  watch_ = std::make_unique<FdWatch>(loop_, std::move(socket));
  timer_.set(attempt_timeout_, [this] { attempt_failed(ETIMEDOUT); });
  watch_->when_writable([this] { connected(); });
}

void Dialer::attempt_failed(int error) {
  timer_.cancel();
  watch_.reset();
  if (next_endpoint_ < endpoints_.size()) return try_next();
  pause(backoff_.next());
  events_.on_failure({ErrorCode::Io, errno_text(error)});
}

void Dialer::connected() {
  const int error = connect_error(watch_->fd());
  if (error != 0) return attempt_failed(error);
  timer_.cancel();
  state_ = State::Linked;
  const auto watch = std::move(watch_);
  events_.on_connected(*this, watch->take(), endpoints_[next_endpoint_ - 1]);
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
