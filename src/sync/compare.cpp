#include "sync/compare.hpp"

#include <algorithm>

namespace fermata::sync {

Status Compare::consider(const DeviceId& remote, bool quiet, Instant now) {
  if (!quiet) {
    due_.reset();
    return {};
  }
  if (auto checked = check_told(); !checked) return checked;
  if (compared_at_ == mark()) {
    due_.reset();
    return {};
  }
  if (!due_) due_ = !compared_at_ ? now : now + shared_.options.digest_after;
  if (now < *due_) return {};
  due_.reset();
  compared_at_ = mark();
  return say(remote);
}

Compare::Level Compare::mark() const {
  Level mark{shared_.head, 0};
  for (const auto& [key, position] : intake_.cursors()) mark.second += position.seq;
  return mark;
}

// Nothing unless we ask for all that the subscription covers: then what we hold of it is what the remote holds. If both
// ask for the same, the device with the smaller id tells.
std::optional<Compare::Level> Compare::level_of(const RemoteSubscription& subscription, const DeviceId& remote) const {
  if (subscription.standing != RemoteSubscription::Standing::Going) return std::nullopt;
  for (const auto& [key, ours] : shared_.subscriptions) {
    const bool same = ours.predicate.text() == subscription.predicate.text();
    const bool covers =
        ours.predicate.matches_everything() && ours.predicate.collection() == subscription.predicate.collection();
    if (!(same || covers) || !intake_.has(key)) continue;
    if (same && shared_.options.device > remote) return std::nullopt;
    return Level{subscription.announced.seq, intake_.position(key).seq};
  }
  return std::nullopt;
}

Status Compare::say(const DeviceId& remote) {
  for (const RemoteSubscription& subscription : feed_.subscriptions()) {
    const auto level = level_of(subscription, remote);
    if (!level) continue;
    const auto said = said_.find(subscription.id);
    if (said != said_.end() && said->second == *level) continue;
    const auto digest = shared_.digests.of(subscription.predicate, shared_.head);
    if (!digest) return fail(digest.error());
    if (!*digest) continue;
    said_.insert_or_assign(subscription.id, *level);
    outlet_.send(encode(DigestOf{subscription.id, level->first, level->second, **digest}));
  }
  return {};
}

Status Compare::check_told() {
  for (const auto& [key, told] : std::exchange(told_, {})) {
    if (!intake_.has(key)) continue;
    if (auto checked = check(told); !checked) return checked;
  }
  return {};
}

// A statement that does not fit where we are was overtaken by something that will lead to another one.
Status Compare::check(const DigestOf& told) {
  const query::Predicate& predicate = shared_.subscriptions.at(told.subscription).predicate;
  const Position position = intake_.position(told.subscription);
  if (position.base != position.seq || position.seq != told.head || !remote_received(predicate, told.received))
    return {};
  const auto ours = shared_.digests.of(predicate, shared_.head);
  if (!ours) return fail(ours.error());
  if (!*ours) return {};
  if (**ours == told.digest) {
    repair_.agrees(told.subscription);
    return {};
  }
  if (shared_.options.mutation == Mutation::DigestIgnored) return {};
  return repair_.differs(told.subscription, told.digest);
}

bool Compare::remote_received(const query::Predicate& ours, std::uint64_t received) const {
  const auto& theirs = feed_.subscriptions();
  return std::any_of(theirs.begin(), theirs.end(), [&](const RemoteSubscription& subscription) {
    const query::Predicate& predicate = subscription.predicate;
    const bool covers = predicate.text() == ours.text() ||
                        (predicate.matches_everything() && predicate.collection() == ours.collection());
    return covers && subscription.announced.seq == received;
  });
}

}  // namespace fermata::sync
