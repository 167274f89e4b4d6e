// What the sessions of one engine have in common. Private to sync/.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "sync/compression.hpp"
#include "sync/engine.hpp"
#include "sync/fetches.hpp"
#include "sync/item_set.hpp"
#include "sync/messages.hpp"
#include "sync/offers.hpp"
#include "sync/subscription_index.hpp"

namespace fermata::sync {

struct LocalSubscription {
  query::Predicate predicate;
  std::size_t holders = 0;  // subscribe() calls with this predicate
};

// How far one of our subscriptions has come in one remote store's log.
struct KnownCursor {
  Position stored;            // as the database has it
  std::uint64_t reached = 0;  // by any session
};

// The same of all of them.
struct KnownLog {
  std::map<std::uint64_t, KnownCursor> cursors;  // by the subscription's id on the wire
  std::uint64_t level = 0;                       // reached by all, whatever each says

  void spread_level() {
    if (level == 0) return;
    for (auto& [id, cursor] : cursors) cursor.reached = std::max(cursor.reached, level);
    level = 0;
  }
};

struct Shared {
  store::Store& store;
  const EngineOptions& options;
  std::map<std::uint64_t, LocalSubscription> subscriptions;  // by their id on the wire
  std::uint64_t head = 0;                                    // the last local seq that sessions were told of
  std::deque<Action> actions;
  bool draining = false;                  // nothing more is taken in
  std::size_t greeted = 0;                // sessions that have heard the remote's HELLO
  SubscriptionIndex index;                // what all our remotes want
  std::map<store::Epoch, KnownLog> logs;  // of remote stores since the start
  std::set<LinkId> walkers;               // links that bring us what we lack; on the others, meanwhile, offers will do
  Instant walked{};                       // when one of them last did
  PassedStates passed;                    // of our documents, while several sessions could bring them
  SetDigests digests;
  std::uint64_t runs = 0;     // reconciliations begun by us
  std::uint64_t repairs = 0;  // of all sessions, as in SessionStatus
  std::uint64_t given_up = 0;
  Instant now{};  // when the engine was last told something
  Compressor compressor;
  Fetches fetches{store, options.stalled_after};

  [[nodiscard]] bool has(Mutation bug) const { return options.mutation == bug; }
  // Whether we want only some documents of this collection, so that others must tell us what they know about those.
  [[nodiscard]] bool filters(std::string_view collection) const;
};

// The local seq of what happened last to it.
[[nodiscard]] std::uint64_t latest_change(const crdt::Document& document);

// Where a session's frames go.
struct Outlet {
  Shared& shared;
  LinkId link = 0;
  bool compress = false;  // the remote reads it, and we are asked to
  std::uint64_t bytes_sent = 0;

  void send(Bytes frame);
};

// A commit on its way to several sessions: each changed document is loaded once, when the first session needs it.
class LoadedCommit {
 public:
  LoadedCommit(store::Store& store, const SubscriptionIndex& index, const store::CommitEvent& event);
  [[nodiscard]] const store::CommitEvent& event() const { return event_; }
  // Whether any of it may be of interest to this link's remote.
  [[nodiscard]] bool concerns(LinkId link) const;
  [[nodiscard]] Result<const crdt::Document*> document(std::size_t index);
  // Subscriptions of this link's remote that the document may match or have matched, in ascending order.
  [[nodiscard]] std::span<const SubscriptionIndex::Holder> candidates(std::size_t index, LinkId link) const;
  // Of document(), which may be younger than this commit.
  [[nodiscard]] Result<std::uint64_t> version(std::size_t index);

 private:
  store::Store& store_;
  const store::CommitEvent& event_;
  std::vector<std::vector<SubscriptionIndex::Holder>> candidates_;  // by change; empty if there are none
  std::vector<std::optional<crdt::Document>> documents_;
};

}  // namespace fermata::sync
