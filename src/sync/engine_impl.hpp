// The insides of an Engine. Private to sync/.
#pragma once

#include "sync/named_attachments.hpp"
#include "sync/refusals.hpp"
#include "sync/session.hpp"

namespace fermata::sync {

struct Engine::Impl {
  Impl(store::Store& store, EngineOptions given)
      : options(std::move(given)),
        shared{.store = store, .options = options, .head = store.last_local_seq(), .digests = SetDigests(store)} {}

  bool forget(LinkId link);
  void note_goodbye(const Session& session);
  void close(LinkId link, Error why);
  void check(LinkId link, Status status);
  void settle_duplicates(const LinkInfo& opened, Instant now);
  void drop_rivals_of(LinkId link);
  // Of a query that is subscribed to, or begins to be.
  [[nodiscard]] std::uint64_t key_of(const query::Predicate& predicate);
  [[nodiscard]] bool is_held(std::string_view collection, std::string_view id, const crdt::Document& document) const;
  [[nodiscard]] store::PurgeLimits purge_limits() const;
  void purge(Instant now);
  // Tells those who asked in vain for what has come, and looks again where there was no room.
  void settle_fetches();
  // Runs a step on every open session; one that fails is closed.
  template <class Step>
  void each(Step step);

  EngineOptions options;
  Shared shared;
  std::map<LinkId, std::unique_ptr<Session>> sessions;
  std::map<LinkId, std::vector<LinkId>> rivals;  // of a probed link: closed if it answers the probe
  std::map<DeviceId, RememberedPeer> remembered;
  std::map<SubscriptionId, std::uint64_t> keys;
  std::map<std::uint64_t, std::uint64_t> keys_of_queries;  // by the predicate's key
  std::uint64_t subscriptions_ended = 0;
  SubscriptionId last_subscription = 0;
  std::deque<AwayPeer> away;  // oldest first
  Refusals refusals;
  NamedAttachments named_attachments{shared};
  std::optional<Instant> purge_due;
  store::PurgePlace purge_place;
};

}  // namespace fermata::sync
