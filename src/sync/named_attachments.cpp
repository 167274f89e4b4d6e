#include "sync/named_attachments.hpp"

namespace fermata::sync {

void NamedAttachments::begin(SubscriptionId id, const query::Predicate& predicate, Instant now) {
  subscriptions_.emplace(id, predicate);
  look_through(id, predicate);
  shared_.fetches.pump(now);
}

void NamedAttachments::end(SubscriptionId id) {
  if (subscriptions_.erase(id) != 0) shared_.fetches.end_subscription(id);
}

void NamedAttachments::committed(const store::CommitEvent& event, Instant now) {
  if (subscriptions_.empty()) return;
  for (const store::DocumentChange& change : event.changes) {
    if (!change.alive_after) continue;
    for (const auto& [id, predicate] : subscriptions_) {
      if (predicate.collection() != change.collection) continue;
      const Map& view = change.after;
      if (!predicate.matches(change.id, view)) continue;
      for (const auto& [name, value] : view) want_all(id, value);
    }
  }
  shared_.fetches.pump(now);
}

void NamedAttachments::look_again(Instant now) {
  for (const auto& [id, predicate] : subscriptions_) look_through(id, predicate);
  shared_.fetches.pump(now);
}

// What it misses because of an error is fetched when the document changes, or after the next start.
void NamedAttachments::look_through(SubscriptionId id, const query::Predicate& predicate) {
  const auto visit = [&](std::string_view document, const Map& view) {
    if (!predicate.matches(document, view)) return;
    for (const auto& [name, value] : view) want_all(id, value);
  };
  static_cast<void>(shared_.store.attachments().for_each_naming(predicate.collection(), visit));
}

void NamedAttachments::want_all(SubscriptionId id, const Value& value) {
  if (const auto* attachment = value.if_a<Attachment>()) {
    shared_.fetches.want(id, *attachment);
  } else if (const auto* map = value.if_a<Map>()) {
    for (const auto& [name, inner] : *map) want_all(id, inner);
  } else if (const auto* array = value.if_a<Array>()) {
    for (const Value& inner : *array) want_all(id, inner);
  }
}

}  // namespace fermata::sync
