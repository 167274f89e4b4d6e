// A node on its way to the background and back.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "peer/node.hpp"
#include "query/database_impl.hpp"

namespace fermata {
namespace {

constexpr Duration kQuiesceAgainAfter = std::chrono::milliseconds(50);
constexpr Duration kQuiesceAgainWithin = std::chrono::milliseconds(200);
// Of the time to pause, this much at least is for the store.
constexpr Duration kQuiesceReserve = std::chrono::milliseconds(500);

}  // namespace

void Node::pause(const PauseOrder& order, std::function<void(std::uint64_t unsent)> done) {
  loop_->post([this, order, done = std::move(done)]() mutable {
    paused_ = true;
    ++pauses_;
    if (flush_) loop_->cancel(flush_->timer);
    transport_->stop_accepting();
    engine_.drain();
    // Half of the time is for peers to confirm what they still lack; one that is frozen itself never will.
    const Duration left = std::max(Duration::zero(), order.deadline - loop_->now());
    flush_ = Flush{order, std::move(done)};
    flush_->timer = loop_->call_at(loop_->now() + left / 2, [this] { leave_peers(); });
    pump();
  });
}

void Node::flush_or_leave() {
  if (!engine_.unsent()) leave_peers();
}

void Node::leave_peers() {
  if (!flush_) return;
  const Flush flush = std::move(*std::exchange(flush_, std::nullopt));
  loop_->cancel(flush.timer);
  const std::uint64_t unsent = changes_unsent();
  engine_.goodbye(flush.order.expected_return, loop_->now());
  pump();
  const Duration left = std::max(Duration::zero(), flush.order.deadline - loop_->now());
  const Duration for_links = std::max(left / 2, left - kQuiesceReserve);
  transport_->suspend(for_links, [this, pause = pauses_, deadline = flush.order.deadline, done = flush.done, unsent] {
    // The keeper did not wait, and has resumed us meanwhile; perhaps it pauses us again already.
    if (!paused_ || pause != pauses_) return done(unsent);
    wants_quiet_ = Quiet{[done, unsent] { done(unsent); }, 0};
    quiesce_within(deadline - system_clock().now());
  });
}

// Blocking is right here: links are closed, and nothing else has business on this loop. A statement of the app that
// runs on is the app's; we come back for the rest, because a lock is what may cost the process its life.
void Node::quiesce_within(Duration span) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(span);
  const auto quiet = database_->quiesce(std::max(left, std::chrono::milliseconds(1)));
  if (!quiet && quiet.error().code == ErrorCode::Timeout) {
    say_once("going to the background with the database in use: " + quiet.error().message);
    return quiesce_soon();
  }
  if (const auto done = std::exchange(wants_quiet_->done, {})) done();
}

// Somebody uses the database although we are to be ready for suspension: what it does is whole, but no lock may stay
// behind it.
void Node::quiesce_soon() {
  if (!wants_quiet_ || wants_quiet_->next_attempt != 0) return;
  wants_quiet_->next_attempt = loop_->call_at(loop_->now() + kQuiesceAgainAfter, [this] {
    if (!wants_quiet_) return;
    wants_quiet_->next_attempt = 0;
    quiesce_within(kQuiesceAgainWithin);
  });
}

void Node::resume() {
  {
    // The keeper looks right after this; the loop looks closer when it comes to it.
    const std::lock_guard lock(state_mutex_);
    state_.peers = true;
  }
  loop_->post([this] {
    if (flush_) {
      loop_->cancel(flush_->timer);
      const auto done = std::exchange(flush_, std::nullopt)->done;
      engine_.goodbye(std::nullopt, loop_->now());  // these sessions have stopped listening
      done(0);
    }
    paused_ = false;
    if (wants_quiet_ && wants_quiet_->done) wants_quiet_->done();
    wants_quiet_.reset();
    resume_observers(*database_);
    last_linked_ = loop_->now();
    transport_->resume();
    pump();
  });
}

void Node::woke() {
  loop_->post([this] {
    engine_.woke(loop_->now());
    pump();
  });
}

ParticipantState Node::state() const {
  const std::lock_guard lock(state_mutex_);
  return state_;
}

void Node::remember(const std::string& key, const std::string& text) {
  loop_->post([this, key, text] {
    if (const auto kept = store_of(*database_).remember(key, text); !kept)
      say_once(fmt::format("cannot keep {} in the database: {}", key, kept.error().message));
  });
}

std::string Node::recall(const std::string& key) {
  return store_of(*database_).recall(key).value_or("");
}

}  // namespace fermata
