#include <fmt/format.h>

#include <algorithm>

#include "base/hash.hpp"
#include "sync/engine_impl.hpp"

namespace fermata::sync {
namespace {

// How long an old link to the same device may take to show that it still lives.
constexpr Duration kProbe = std::chrono::seconds(2);
// A query in memory is some ten times its text. Who asks for more than this waits for our HELLO when it returns.
constexpr std::size_t kMaxRemembered = 256;
constexpr std::size_t kMaxRememberedText = 32u << 10;  // of each
// The same for every link, when it is we who were away.
constexpr Duration kProbeAfterSleep = std::chrono::seconds(5);
constexpr std::size_t kMaxAway = 64;
// Forgetting deletions begins soon after the start, because a device may never run for long.
constexpr Duration kFirstPurge = std::chrono::seconds(10);

}  // namespace

void Engine::Impl::note_goodbye(const Session& session) {
  const auto& goodbye = session.remote_goodbye();
  const auto is_another = [&](const auto& entry) {
    return entry.second.get() != &session && entry.second->link().remote == session.link().remote;
  };
  if (!goodbye || std::any_of(sessions.begin(), sessions.end(), is_another)) return;
  std::erase_if(away, [&](const AwayPeer& each) { return each.device == goodbye->device; });
  away.push_back(*goodbye);
  if (away.size() > kMaxAway) away.pop_front();
}

// The session goes at once: whatever still arrives on the link meets nobody.
bool Engine::Impl::forget(LinkId link) {
  const auto found = sessions.find(link);
  if (found == sessions.end()) return false;
  note_goodbye(*found->second);
  if (auto left = found->second->leave(); left && left->text_bytes() <= kMaxRememberedText) {
    if (remembered.size() >= kMaxRemembered) remembered.clear();
    remembered.insert_or_assign(found->second->link().remote, std::move(*left));
  }
  sessions.erase(found);
  rivals.erase(link);
  return true;
}

void Engine::Impl::close(LinkId link, Error why) {
  if (forget(link)) shared.actions.emplace_back(CloseLink{link, std::move(why)});
}

void Engine::Impl::check(LinkId link, Status status) {
  if (!status) close(link, std::move(status.error()));
}

template <class Step>
void Engine::Impl::each(Step step) {
  std::vector<LinkId> links;
  for (const auto& [link, session] : sessions) links.push_back(link);
  for (LinkId link : links) {
    const auto found = sessions.find(link);
    if (found != sessions.end()) check(link, step(*found->second));
  }
}

// Two links between the same devices: the device with the smaller id decides alone, so the two cannot disagree. It
// keeps the link that it dialed itself, if that still answers, and else the newer one.
void Engine::Impl::settle_duplicates(const LinkInfo& opened, Instant now) {
  if (options.device > opened.remote) return;
  std::vector<LinkId> same;
  for (const auto& [link, session] : sessions) {
    if (link != opened.link && session->link().remote == opened.remote) same.push_back(link);
  }
  for (LinkId old : same) {
    if (opened.dialed_by_us || !sessions.at(old)->link().dialed_by_us) {
      close(old, {ErrorCode::AlreadyExists, "a newer link to the same device replaces this one"});
    } else {
      rivals[old].push_back(opened.link);
      if (!sessions.at(old)->probing()) sessions.at(old)->probe(now + kProbe, now);
    }
  }
}

void Engine::Impl::drop_rivals_of(LinkId link) {
  const auto found = rivals.find(link);
  if (found == rivals.end()) return;
  const std::vector<LinkId> losers = std::move(found->second);
  rivals.erase(found);
  for (LinkId loser : losers) close(loser, {ErrorCode::AlreadyExists, "there is a link to the same device already"});
}

// What is under way for a subscription that has ended must not be taken for one that begins, so theirs differ. They are
// the same in every life of this process as long as none has ended: what a remote remembers goes on to fit.
std::uint64_t Engine::Impl::key_of(const query::Predicate& predicate) {
  const auto [found, begins] = keys_of_queries.try_emplace(predicate.key(), predicate.key());
  if (begins && subscriptions_ended != 0)
    found->second = hash64(as_bytes(fmt::format("{} {}", predicate.key(), subscriptions_ended)));
  return found->second;
}

bool Engine::Impl::is_held(std::string_view collection, std::string_view id, const crdt::Document& document) const {
  return std::any_of(sessions.begin(), sessions.end(),
                     [&](const auto& entry) { return entry.second->feed().is_held(collection, id, document); });
}

Engine::Engine(store::Store& store, EngineOptions options) : impl_(std::make_unique<Impl>(store, std::move(options))) {}

Engine::~Engine() = default;

Status Engine::may_subscribe(const query::Predicate& predicate) const {
  if (impl_->keys_of_queries.contains(predicate.key())) return {};
  const auto& all = impl_->shared.subscriptions;
  std::size_t bytes = predicate.text().size();
  for (const auto& [key, subscription] : all) bytes += subscription.predicate.text().size();
  if (all.size() < impl_->options.max_subscriptions && bytes <= kMaxQueryTexts) return {};
  return fail(ErrorCode::LimitExceeded,
              fmt::format("a peer can have {} different subscriptions, of {} MiB of text together; cancel one, or ask "
                          "for more at once with a wider WHERE",
                          impl_->options.max_subscriptions, kMaxQueryTexts >> 20));
}

SubscriptionId Engine::subscribe(query::Predicate predicate, Instant now, AttachmentPolicy attachments) {
  impl_->shared.now = now;
  const std::uint64_t key = impl_->key_of(predicate);
  const SubscriptionId id = ++impl_->last_subscription;
  if (!impl_->purge_due && impl_->options.tombstone_ttl > Duration::zero()) impl_->purge_due = now + kFirstPurge;
  impl_->keys.emplace(id, key);
  if (attachments == AttachmentPolicy::WithDocuments) impl_->named_attachments.begin(id, predicate, now);
  LocalSubscription& subscription = impl_->shared.subscriptions[key];
  if (++subscription.holders > 1) return id;
  impl_->shared.digests.add_user(predicate);
  subscription.predicate = std::move(predicate);
  impl_->each([&](Session& session) { return session.subscribe(key); });
  return id;
}

void Engine::unsubscribe(SubscriptionId id, Instant now) {
  impl_->shared.now = now;
  const auto found = impl_->keys.find(id);
  if (found == impl_->keys.end()) return;
  const std::uint64_t key = found->second;
  impl_->keys.erase(found);
  impl_->named_attachments.end(id);
  if (--impl_->shared.subscriptions.at(key).holders > 0) return;
  impl_->each([&](Session& session) { return session.unsubscribe(key); });
  const auto ended = impl_->shared.subscriptions.find(key);
  impl_->keys_of_queries.erase(ended->second.predicate.key());
  impl_->shared.digests.remove_user(ended->second.predicate);
  impl_->shared.digests.free_unused();
  impl_->shared.subscriptions.erase(ended);
  ++impl_->subscriptions_ended;
  for (auto& [epoch, log] : impl_->shared.logs) log.cursors.erase(key);
}

Status Engine::evict(std::string_view collection, std::string_view id) {
  auto transaction = impl_->shared.store.begin();
  if (!transaction) return fail(std::move(transaction.error()));
  const auto document = transaction->load(collection, id);
  if (!document) return fail(document.error());
  const Map view = document->view();
  std::vector<std::uint64_t> kept;
  for (const auto& [key, subscription] : impl_->shared.subscriptions) {
    const query::Predicate& ours = subscription.predicate;
    if (document->alive() && ours.collection() == collection && ours.matches(id, view))
      return fail(
          ErrorCode::InvalidArgument,
          fmt::format("document '{}' of '{}' is subscribed to here; end the subscription first", id, collection));
    for (std::uint64_t each : stored_keys(ours.key())) kept.push_back(each);
  }
  if (document->alive() && !impl_->is_held(collection, id, *document))
    return fail(
        ErrorCode::Busy,
        fmt::format("document '{}' of '{}' is held by nobody who is connected; it would be lost", id, collection));
  if (auto evicted = transaction->evict(collection, id); !evicted) return evicted;
  if (impl_->options.mutation != Mutation::EvictKeepsCursors) {
    if (auto forgotten = transaction->keep_cursors(kept); !forgotten) return forgotten;
  }
  auto committed = transaction->commit();
  return committed ? Status() : fail(std::move(committed.error()));
}

void Engine::Impl::settle_fetches() {
  for (const ContentHash& hash : shared.fetches.take_stored()) {
    for (const auto& [link, session] : sessions) session->stored(hash);
  }
  if (shared.fetches.take_was_full()) named_attachments.look_again(shared.now);
}

FetchId Engine::fetch(const Attachment& attachment, Instant now) {
  impl_->shared.now = now;
  return impl_->shared.fetches.begin(attachment, now);
}

void Engine::end_fetch(FetchId id) {
  impl_->shared.fetches.end(id);
}

std::vector<FetchNews> Engine::take_fetch_news() {
  return impl_->shared.fetches.take_news();
}

void Engine::content_stored(const ContentHash& hash) {
  for (const auto& [link, session] : impl_->sessions) session->stored(hash);
}

void Engine::link_opened(const LinkInfo& link, Instant now) {
  if (link.remote == impl_->options.device) {
    impl_->shared.actions.emplace_back(CloseLink{link.link, {ErrorCode::InvalidArgument, "it is this device itself"}});
    return;
  }
  if (auto why = impl_->refusals.of(link.remote, now)) {
    impl_->shared.actions.emplace_back(CloseLink{link.link, std::move(*why)});
    return;
  }
  std::erase_if(impl_->away, [&](const AwayPeer& each) { return each.device == link.remote; });
  impl_->shared.now = now;
  auto& session = impl_->sessions[link.link];
  session = std::make_unique<Session>(impl_->shared, link, now);
  const auto remembered = impl_->remembered.find(link.remote);
  const bool known = remembered != impl_->remembered.end();
  impl_->check(link.link, session->open(known ? &remembered->second : nullptr));
  if (impl_->sessions.contains(link.link)) impl_->settle_duplicates(link, now);
}

void Engine::frame_received(LinkId link, ByteView frame, Instant now) {
  const auto found = impl_->sessions.find(link);
  if (found == impl_->sessions.end()) return;
  impl_->shared.now = now;
  const Status received = found->second->receive(frame, now);
  if (!received && Refusals::deserved(received.error().code))
    impl_->refusals.note(found->second->link().remote, received.error(), now);
  impl_->check(link, received);
  // Any other frame than the answer to our question may have lain in a buffer.
  const auto session = impl_->sessions.find(link);
  if (session != impl_->sessions.end() && !session->second->probing()) impl_->drop_rivals_of(link);
}

void Engine::offended(LinkId link, const Error& why, Instant now) {
  const auto found = impl_->sessions.find(link);
  if (found != impl_->sessions.end()) impl_->refusals.note(found->second->link().remote, why, now);
}

void Engine::link_closed(LinkId link, Instant) {
  impl_->forget(link);
}

void Engine::committed(const store::CommitEvent& event, Instant now) {
  Shared& shared = impl_->shared;
  shared.digests.committed(event);
  shared.now = now;
  // What was evicted is not here any more, whatever it has passed through.
  if (!event.evicted.empty()) shared.passed = {};
  if (event.changes.empty()) return;
  shared.head = std::max(shared.head, event.first_local_seq + event.changes.size() - 1);
  LoadedCommit commit(shared.store, shared.index, event);
  // A state that two links could bring may be offered on one and come over the other.
  for (const store::DocumentChange& change : event.changes) {
    if (shared.greeted > 1 && change.version_after != 0) shared.passed.add(change.version_after);
  }
  impl_->each([&](Session& session) -> Status {
    if (auto came = session.came(commit); !came) return came;
    if (auto pushed = session.push(commit); !pushed) return pushed;
    return session.settle(now);
  });
  impl_->named_attachments.committed(event, now);
}

void Engine::commits_skipped(Instant now) {
  impl_->shared.digests.clear();
  impl_->shared.passed = {};  // something may have been evicted
  impl_->shared.now = now;
  impl_->shared.head = std::max(impl_->shared.head, impl_->shared.store.last_local_seq());
  impl_->each([&](Session& session) { return session.settle(now); });
  impl_->named_attachments.look_again(now);
}

void Engine::drain() {
  impl_->shared.draining = true;
}

void Engine::goodbye(std::optional<Duration> expected_return, Instant) {
  impl_->shared.draining = false;
  while (!impl_->sessions.empty()) {
    Session& session = *impl_->sessions.begin()->second;
    session.goodbye(expected_return);
    impl_->close(session.link().link, {ErrorCode::Closed, "we said goodbye"});
  }
}

void Engine::woke(Instant now) {
  impl_->shared.now = now;
  for (const auto& [link, session] : impl_->sessions) session->probe(now + kProbeAfterSleep, now);
}

std::optional<Action> Engine::poll() {
  impl_->settle_fetches();
  if (impl_->shared.actions.empty()) return std::nullopt;
  Action action = std::move(impl_->shared.actions.front());
  impl_->shared.actions.pop_front();
  return action;
}

std::optional<Instant> Engine::next_deadline() const {
  std::optional<Instant> next = impl_->purge_due;
  for (const auto& [link, session] : impl_->sessions) {
    const Instant deadline = session->deadline();
    next = std::min(next.value_or(deadline), deadline);
  }
  const auto fetches = impl_->shared.fetches.deadline();
  return next && fetches ? std::min(*next, *fetches) : (next ? next : fetches);
}

void Engine::on_deadline(Instant now) {
  impl_->shared.now = now;
  if (impl_->purge_due && now >= *impl_->purge_due) impl_->purge(now);
  impl_->shared.fetches.on_deadline(now);
  impl_->each([&](Session& session) { return session.on_deadline(now); });
}

bool Engine::unsynced() const {
  return impl_->shared.fetches.busy() || std::any_of(impl_->sessions.begin(), impl_->sessions.end(),
                                                     [](const auto& entry) { return entry.second->unsynced(); });
}

bool Engine::unsent() const {
  return std::any_of(impl_->sessions.begin(), impl_->sessions.end(),
                     [](const auto& entry) { return entry.second->unsent(); });
}

std::uint64_t Engine::repairs() const {
  return impl_->shared.repairs;
}

std::uint64_t Engine::documents_given_up() const {
  return impl_->shared.given_up;
}

std::uint64_t Engine::tombstones_purged() const {
  return impl_->shared.store.purged();
}

std::vector<AwayPeer> Engine::away() const {
  return {impl_->away.begin(), impl_->away.end()};
}

std::vector<SessionStatus> Engine::sessions() const {
  std::vector<SessionStatus> all;
  for (const auto& [link, session] : impl_->sessions) all.push_back(session->status());
  return all;
}

}  // namespace fermata::sync
