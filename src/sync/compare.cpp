#include "sync/compare.hpp"

#include <algorithm>

namespace fermata::sync {
namespace {

// How often in the time for which a deletion is remembered what is known of commits is told: only that time matters.
constexpr std::int64_t kKnownPerTtl = 1024;

}  // namespace

Status Compare::consider(const DeviceId& remote, bool quiet, Instant now) {
  if (!quiet) {
    due_.reset();
    return {};
  }
  if (auto checked = check_told(remote); !checked) return checked;
  if (compared_at_ == mark()) {
    due_.reset();
    return {};
  }
  if (!due_) due_ = !compared_at_ ? now : now + shared_.options.digest_after;
  if (now < *due_) return {};
  due_.reset();
  compared_at_ = mark();
  return say(remote, now);
}

Compare::Reached Compare::mark() const {
  return {shared_.head, intake_.received()};
}

// Nothing unless we ask for all that the subscription covers: then what we hold of it is what the remote holds. If both
// ask for the same, the device with the smaller id tells.
std::optional<Compare::Reached> Compare::reached_of(const RemoteSubscription& subscription, const Ours& ours,
                                                    const DeviceId& remote) const {
  if (subscription.standing != RemoteSubscription::Standing::Going) return std::nullopt;
  const auto same = ours.same.find(subscription.predicate.text());
  const bool both = same != ours.same.end();
  if (both && shared_.options.device > remote) return std::nullopt;
  const auto covering = ours.covering.find(subscription.predicate.collection());
  if (!both && covering == ours.covering.end()) return std::nullopt;
  const std::uint64_t key = both ? same->second : covering->second;
  return Reached{subscription.course.announced.seq, intake_.position(key).seq};
}

Compare::Ours Compare::ours_by_query() const {
  Ours ours;
  for (const auto& [key, subscription] : shared_.subscriptions) {
    if (!intake_.has(key)) continue;
    const query::Predicate& predicate = subscription.predicate;
    ours.same.emplace(predicate.text(), key);
    if (predicate.matches_everything()) ours.covering.emplace(predicate.collection(), key);
  }
  return ours;
}

Status Compare::say(const DeviceId& remote, Instant now) {
  const Ours ours = ours_by_query();
  for (const RemoteSubscription& subscription : feed_.subscriptions()) {
    const auto reached = reached_of(subscription, ours, remote);
    if (!reached) continue;
    const auto said = said_.find(subscription.id);
    if (said != said_.end() && said->second == *reached) continue;
    const auto told = known_told_.find(subscription.id);
    const bool due = told == known_told_.end() || now - told->second >= shared_.options.tombstone_ttl / kKnownPerTtl;
    if (auto done = tell(subscription, *reached, due ? Known::Told : Known::Left); !done) return done;
    if (due && said_.contains(subscription.id)) known_told_.insert_or_assign(subscription.id, now);
  }
  return {};
}

// Our commits are read before the digest: what is committed between them is not claimed.
Status Compare::tell(const RemoteSubscription& subscription, const Reached& reached, Known known) {
  DigestOf message{subscription.id, reached.first, reached.second, {}, {}};
  if (known == Known::Told && subscription.predicate.matches_everything()) {
    auto commits = shared_.store.known(subscription.predicate.collection());
    if (!commits) return fail(std::move(commits.error()));
    message.known = std::move(*commits);
  }
  const auto digest = shared_.digests.of(subscription.predicate, shared_.head);
  if (!digest) return fail(digest.error());
  if (!*digest) return {};
  message.digest = **digest;
  said_.insert_or_assign(subscription.id, reached);
  outlet_.send(encode(message));
  return {};
}

Status Compare::on(const DigestOf& digest) {
  if (shared_.options.mutation == Mutation::KnownTooEarly && intake_.has(digest.subscription)) {
    const query::Predicate& ours = shared_.subscriptions.at(digest.subscription).predicate;
    if (auto learned = shared_.store.learn(ours.collection(), digest.known); !learned) return learned;
  }
  // One that has ended is not compared; and nobody may make us keep what we did not ask for.
  if (intake_.has(digest.subscription)) told_.insert_or_assign(digest.subscription, digest);
  return {};
}

Status Compare::learn(const DigestOf& told, const query::Predicate& ours, const DeviceId& remote) {
  if (told.known.empty() || !ours.matches_everything()) return {};
  if (auto learned = shared_.store.learn(ours.collection(), told.known); !learned) return learned;
  if (shared_.options.device < remote) return {};  // it was our question
  for (const RemoteSubscription& subscription : feed_.subscriptions()) {
    if (subscription.predicate.text() != ours.text()) continue;
    const Reached reached{subscription.course.announced.seq, intake_.position(told.subscription).seq};
    return tell(subscription, reached, Known::Told);
  }
  return {};
}

Status Compare::check_told(const DeviceId& remote) {
  for (const auto& [key, told] : std::exchange(told_, {})) {
    if (!intake_.has(key)) continue;
    if (auto checked = check(told, remote); !checked) return checked;
  }
  return {};
}

// A statement that does not fit where we are was overtaken by something that will lead to another one.
Status Compare::check(const DigestOf& told, const DeviceId& remote) {
  const query::Predicate& predicate = shared_.subscriptions.at(told.subscription).predicate;
  const Position position = intake_.position(told.subscription);
  if (position.base != position.seq || position.seq != told.head || !remote_received(predicate, told.received))
    return {};
  if (intake_.is_overtaken(told.subscription)) return {};
  const auto ours = shared_.digests.of(predicate, shared_.head);
  if (!ours) return fail(ours.error());
  if (!*ours) return {};
  if (**ours == told.digest) {
    repair_.agrees(told.subscription);
    return learn(told, predicate, remote);
  }
  if (shared_.options.mutation == Mutation::DigestIgnored) return {};
  return repair_.differs(told.subscription, told.digest);
}

bool Compare::remote_received(const query::Predicate& ours, std::uint64_t received) {
  const auto& theirs = feed_.subscriptions();
  return std::any_of(theirs.begin(), theirs.end(), [&](const RemoteSubscription& subscription) {
    const query::Predicate& predicate = subscription.predicate;
    const bool covers = predicate.text() == ours.text() ||
                        (predicate.matches_everything() && predicate.collection() == ours.collection());
    return covers && subscription.course.announced.seq == received;
  });
}

}  // namespace fermata::sync
