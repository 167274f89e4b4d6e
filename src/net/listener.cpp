#include "net/listener.hpp"

#include <cerrno>

namespace fermata::net {
namespace {

constexpr int kAcceptsPerTurn = 16;
constexpr Duration kStable = std::chrono::seconds(5);  // after which a new failure is a new story

}  // namespace

Listener::Listener(AsioLoop& loop, const TransportOptions& options, Events events)
    : loop_(loop), events_(std::move(events)), backoff_(options.first_redial, options.max_redial), retry_(loop) {}

Status Listener::open(const std::string& address) {
  const auto parsed = parse_address(address);
  if (!parsed) return fail(parsed.error());
  const auto endpoints = lookup(*parsed, Names::NumericOnly);
  if (!endpoints)
    return fail(ErrorCode::InvalidArgument, "cannot listen on " + address + ": " + endpoints.error().message);
  auto socket = open_listener(endpoints->front(), address);
  if (!socket) return fail(socket.error());
  bound_ = local_endpoint(socket->value());
  bound_text_ = to_text(bound_);
  adopt(std::move(*socket));
  return {};
}

void Listener::adopt(Fd socket) {
  watch_ = std::make_unique<FdWatch>(loop_, std::move(socket));
  opened_at_ = loop_.now();
  wait();
}

void Listener::close() {
  retry_.cancel();
  watch_.reset();
}

void Listener::reopen() {
  if (watch_) return;
  retry_.cancel();
  auto socket = open_listener(bound_, bound_text_);
  if (socket) return adopt(std::move(*socket));
  reopen_later();
  events_.on_trouble(socket.error());
}

void Listener::reopen_later() {
  retry_.set(backoff_.next(), [this] { reopen(); });
}

void Listener::wait() {
  watch_->when_readable([this] { on_readable(); });
}

void Listener::on_readable() {
  const auto self = shared_from_this();
  for (int accepts = 0; accepts < kAcceptsPerTurn && watch_; ++accepts) {
    Endpoint remote;
    int error = 0;
    Fd socket = accept_one(watch_->fd(), remote, error);
    if (socket) {
      events_.on_accept(std::move(socket), remote);
    } else if (error == EAGAIN) {
      break;
    } else if (error != EINTR) {
      return accept_failed(error);
    }
  }
  if (watch_) wait();
}

// Whatever it is (a system that reclaimed the socket says EBADF, EINVAL or ENOTCONN; one out of descriptors EMFILE),
// a fresh socket after a pause is the answer, and never a busy loop.
void Listener::accept_failed(int error) {
  watch_.reset();
  if (loop_.now() - opened_at_ >= kStable) backoff_.reset();
  reopen_later();
  events_.on_trouble({ErrorCode::Io, bound_text_ + " stopped accepting (" + errno_text(error) + "); opening it again"});
}

}  // namespace fermata::net
