// A node on its way to the background and back.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "peer/node.hpp"
#include "query/database_impl.hpp"

namespace fermata {
namespace {

constexpr std::chrono::milliseconds kQuiesceAgainWithin{200};
// Of the time to pause, this much at least is for the store.
constexpr Duration kQuiesceReserve = std::chrono::milliseconds(500);

}  // namespace

void Node::pause(const PauseOrder& order, std::function<void(std::uint64_t unsent)> done) {
  loop_->post([this, order, done = std::move(done)]() mutable {
    paused_ = true;
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
  std::uint64_t unsent = 0;
  for (const auto& session : engine_.sessions()) unsent = std::max(unsent, session.changes_unconfirmed);
  engine_.goodbye(flush.order.expected_return, loop_->now());
  pump();
  const Duration left = std::max(Duration::zero(), flush.order.deadline - loop_->now());
  const Duration for_links = std::max(left / 2, left - kQuiesceReserve);
  transport_->suspend(for_links, [this, deadline = flush.order.deadline, done = flush.done, unsent] {
    finish_pause(deadline, [done, unsent] { done(unsent); });
  });
}

void Node::finish_pause(Instant deadline, const std::function<void()>& done) {
  if (!paused_) return done();  // the keeper did not wait, and has resumed us meanwhile
  // Blocking is right here: links are closed, and nothing else has business on this loop.
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - system_clock().now());
  const auto quiet = database_->quiesce(std::max(left, std::chrono::milliseconds(1)));
  // A statement of the app that runs on is the app's: what it commits is whole, the lock is what may cost the process
  // its life.
  if (!quiet)
    fmt::print(stderr, "fermata: going to the background with the database in use: {}\n", quiet.error().message);
  quiesced_ = true;
  done();
}

// Somebody wrote while we should be ready for suspension: the write is whole, but no lock may stay behind it.
void Node::quiesce_again() {
  if (quiesced_) (void)database_->quiesce(kQuiesceAgainWithin);
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
    paused_ = quiesced_ = false;
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
    quiesce_again();
  });
}

std::string Node::recall(const std::string& key) {
  return store_of(*database_).recall(key).value_or("");
}

}  // namespace fermata
