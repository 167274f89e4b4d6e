#include "peer/wanted.hpp"

namespace fermata {

void Wanted::add(sync::SubscriptionId id, const query::Predicate& predicate) {
  const std::lock_guard lock(mutex_);
  predicates_.insert_or_assign(id, predicate);
}

void Wanted::remove(sync::SubscriptionId id) {
  const std::lock_guard lock(mutex_);
  predicates_.erase(id);
}

Status Wanted::may_evict(std::string_view collection, std::string_view id, const Map& fields) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [subscription, predicate] : predicates_) {
    if (predicate.collection() != collection || !predicate.matches(id, fields)) continue;
    return fail(ErrorCode::InvalidArgument,
                "EVICT: document \"" + std::string(id) + "\" of " + std::string(collection) +
                    " is asked for by the subscription " + predicate.text().substr(0, 200) +
                    ", which would bring it straight back; end or narrow the subscription first");
  }
  return {};
}

}  // namespace fermata
