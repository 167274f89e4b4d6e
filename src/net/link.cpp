#include "net/link.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "net/socket.hpp"

namespace fermata::net {
namespace {

constexpr std::size_t kReadSize = 64 << 10;
constexpr std::size_t kFramesPerTurn = 4 << 10;  // bytes; the frame that reaches it is the last
constexpr int kWritesPerTurn = 8;
constexpr std::size_t kBatch = 64 << 10;                          // plaintext encrypted at a time
constexpr std::size_t kShared = 16 << 10;                         // smaller frames wait in one buffer of this size
constexpr Duration kRefusal = std::chrono::seconds(1);            // to hand over the alert that says why
constexpr std::uint8_t kHandshakeRecord = 22, kAlertRecord = 21;  // RFC 8446 §5.1

}  // namespace

Link::Link(Owner& owner, AsioLoop& loop, const Identity& identity, const TransportOptions& options, Setup setup)
    : owner_(&owner),
      loop_(loop),
      options_(options),
      remote_(setup.remote),
      info_{setup.id, {}, to_text(setup.remote), setup.role == Role::Dialed},
      tls_(identity, {.role = setup.role, .ticket = std::move(setup.ticket)}),
      deadline_(loop),
      watch_(std::make_unique<FdWatch>(loop, std::move(setup.socket))) {}

void Link::start() {
  deadline_.set(options_.handshake_timeout, [this] {
    const Error late{ErrorCode::Timeout, "it did not finish the handshake in time"};
    // A remote that we dialed may just be frozen; its kernel answers for it.
    if (info_.dialed_by_us) return finish(late);
    refuse(late);
  });
  schedule_flush();
  wait_readable();
}

// A frame of a few kilobytes may hold hundreds of documents, so others get their turn after each.
void Link::wait_readable() {
  reading_paused_ = backed_up();
  if (reading_paused_) return;
  if (taken_ < kFramesPerTurn) return watch_->when_readable([this] { on_readable(); });
  loop_.post([self = shared_from_this()] { self->read_on(); });
}

void Link::read_on() {
  if (state_ == State::Gone) return;
  taken_ = 0;
  if (state_ == State::Open) read_plaintext();
  if (state_ == State::Gone) return;
  schedule_flush();
  wait_readable();
}

void Link::on_readable() {
  const auto self = shared_from_this();
  taken_ = 0;
  std::array<std::uint8_t, kReadSize> buffer;
  const ssize_t size = ::recv(watch_->fd(), buffer.data(), buffer.size(), 0);
  if (size == 0) return end_of_stream();
  if (size < 0 && errno != EINTR && errno != EAGAIN) return finish({ErrorCode::Io, errno_text(errno)});
  if (size > 0) {
    owner_->counters().bytes_received += static_cast<std::uint64_t>(size);
    receive(ByteView(buffer).first(static_cast<std::size_t>(size)));
  }
  if (state_ != State::Gone) wait_readable();
}

void Link::receive(ByteView ciphertext) {
  if (state_ != State::Handshaking && state_ != State::Open) return;
  if (!std::exchange(heard_, true) && ciphertext[0] != kHandshakeRecord && ciphertext[0] != kAlertRecord) {
    return refuse({ErrorCode::Unauthorized, "it does not speak TLS"});
  }
  const bool was_established = tls_.established();
  if (const Status taken = tls_.receive(ciphertext); !taken) return read_failed(taken.error());
  if (!was_established && tls_.established()) established();
  if (tls_.established()) read_plaintext();
  if (TicketPtr ticket = tls_.take_ticket(); ticket && state_ != State::Gone) {
    owner_->link_ticket(*this, std::move(ticket));
  }
  // Reading may have made TLS answer, even where we have nothing to say.
  if (state_ != State::Gone) schedule_flush();
}

// A dialer has seen who the remote is; whatever it sends now goes with the end of its handshake. If the remote refuses
// us, it drops that unread.
void Link::established() {
  info_.remote = tls_.remote();
  enqueue(frame_header(0));  // the empty first frame, see framing.hpp
  if (info_.dialed_by_us) opened();
}

void Link::read_plaintext() {
  while ((state_ == State::Handshaking || state_ == State::Open) && taken_ < kFramesPerTurn) {
    if (unread_.empty()) {
      plaintext_.clear();
      const Result<bool> read = tls_.read(plaintext_);
      if (!read) return read_failed(read.error());
      if (!*read) return;
      unread_ = plaintext_;
    }
    take_frame();
  }
}

void Link::take_frame() {
  auto frame = frames_.next(unread_, confirmed_ ? kMaxFrame : 0);
  if (!frame) return framing_failed(frame.error());
  if (!*frame) return;
  if (!confirmed_) return confirmed();
  taken_ += kFrameHeader + (*frame)->size();
  owner_->link_frame(*this, std::move(**frame));
}

void Link::opened() {
  state_ = State::Open;
  was_open_ = true;
  opened_at_ = loop_.now();
  owner_->link_opened(*this);
}

void Link::confirmed() {
  confirmed_ = true;
  deadline_.cancel();
  ++(tls_.resumed() ? owner_->counters().resumed_handshakes : owner_->counters().full_handshakes);
  if (!was_open_) opened();
}

void Link::read_failed(const Error& error) {
  if (confirmed_ || error.code == ErrorCode::Closed) return finish(error);
  refuse(error);
}

void Link::framing_failed(const Error& error) {
  if (confirmed_) return finish(error, Ending::Offence);
  refuse(error);
}

void Link::end_of_stream() {
  finish({ErrorCode::Io, confirmed_ ? "the connection broke off" : "it closed the connection during the handshake"});
}

void Link::send(Bytes frame) {
  if (state_ != State::Open) return;
  if (frame.size() > kMaxFrame) {
    return abort({ErrorCode::LimitExceeded, "a frame of ours has " + std::to_string(frame.size()) + " bytes"},
                 Ending::Closed);
  }
  if (queued_bytes_ + kFrameHeader + frame.size() > options_.max_queued_bytes) {
    return abort({ErrorCode::LimitExceeded, "it does not read what it is sent; more than " +
                                                std::to_string(options_.max_queued_bytes) + " bytes waited for it"},
                 Ending::Broken);
  }
  enqueue(frame_header(frame.size()));
  if (frame.size() < kShared) {
    enqueue(frame);
  } else {
    queued_bytes_ += frame.size();
    queue_.push_back(std::move(frame));
  }
  schedule_flush();
}

// A buffer for each would cost many times what a small frame weighs, and it is the weight that has a limit.
void Link::enqueue(ByteView bytes) {
  if (queue_.empty() || queue_.back().size() + bytes.size() > kShared) queue_.emplace_back();
  queue_.back().insert(queue_.back().end(), bytes.begin(), bytes.end());
  queued_bytes_ += bytes.size();
}

// Frames sent in one turn go out together, and no callback happens inside a call.
void Link::schedule_flush() {
  if (std::exchange(flush_scheduled_, true)) return;
  loop_.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->flush();
  });
}

void Link::flush() {
  flush_scheduled_ = false;
  for (int writes = 0; writes < kWritesPerTurn; ++writes) {
    if (state_ == State::Gone || state_ == State::Lingering) return;
    if (out_sent_ == out_.size()) refill();
    if (out_.empty()) return state_ == State::Flushing ? flushed() : void();
    const ssize_t sent = ::send(watch_->fd(), out_.data() + out_sent_, out_.size() - out_sent_, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) {
      flush_scheduled_ = true;
      watch_->when_writable([this] { flush(); });
      return;
    }
    if (sent < 0 && errno != EINTR) return send_failed(errno);
    if (sent < 0) continue;
    out_sent_ += static_cast<std::size_t>(sent);
    owner_->counters().bytes_sent += static_cast<std::uint64_t>(sent);
  }
  schedule_flush();
}

void Link::refill() {
  out_.clear();
  out_sent_ = 0;
  tls_.take_output(out_);
  Bytes plaintext;
  while (!queue_.empty() && plaintext.size() < kBatch) {
    const Bytes& front = queue_.front();
    const std::size_t take = std::min(kBatch, front.size() - front_sent_);
    const auto from = front.begin() + static_cast<std::ptrdiff_t>(front_sent_);
    plaintext.insert(plaintext.end(), from, from + static_cast<std::ptrdiff_t>(take));
    front_sent_ += take;
    queued_bytes_ -= take;
    if (front_sent_ < front.size()) continue;
    front_sent_ = 0;
    queue_.pop_front();
  }
  if (reading_paused_ && !backed_up()) wait_readable();
  if (const Status written = tls_.write(plaintext); !written) return abort(written.error(), Ending::Closed);
  tls_.take_output(out_);
}

void Link::flushed() {
  if (was_open_ && !std::exchange(said_goodbye_, true)) {
    tls_.say_goodbye();
    return schedule_flush();
  }
  // Closing with unread input would make the kernel throw away what the remote has not yet taken.
  state_ = State::Lingering;
  ::shutdown(watch_->fd(), SHUT_WR);
}

// What the remote said before it went away, such as why it refuses us, is still to be read.
void Link::send_failed(int error) {
  const auto self = shared_from_this();
  on_readable();
  if (state_ != State::Gone) finish({ErrorCode::Io, errno_text(error)});
}

void Link::close(const Error& why, Duration within) {
  if (state_ == State::Handshaking) return abort(why, Ending::Closed);
  if (state_ != State::Open) return;
  state_ = State::Flushing;
  why_ = why;
  deadline_.set(within, [this] { finish(why_); });
  schedule_flush();
}

void Link::refuse(const Error& why) {
  if (state_ != State::Handshaking && state_ != State::Open) return;
  state_ = State::Flushing;
  why_ = why;
  ending_ = Ending::Refused;
  queue_.clear();
  deadline_.set(std::min(kRefusal, options_.handshake_timeout), [this] { finish(why_); });
  schedule_flush();
}

void Link::abort(const Error& why, Ending ending) {
  if (state_ == State::Gone) return;
  if (state_ == State::Handshaking || state_ == State::Open) {
    why_ = why;
    ending_ = ending;
  }
  state_ = State::Lingering;
  queue_.clear();
  loop_.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->finish(self->why_);
  });
}

void Link::finish(const Error& why, Ending ending) {
  if (state_ == State::Gone) return;
  const auto self = shared_from_this();
  const bool closing = state_ == State::Flushing || state_ == State::Lingering;
  state_ = State::Gone;
  deadline_.cancel();
  watch_.reset();
  if (closing) return owner_->link_gone(*this, why_, ending_);
  owner_->link_gone(*this, why, ending);
}

void Link::detach() {
  state_ = State::Gone;
  deadline_.cancel();
  watch_.reset();
}

}  // namespace fermata::net
