// When deletions are forgotten, and which.
#include <algorithm>

#include "sync/engine_impl.hpp"

namespace fermata::sync {
namespace {

// Deletions are forgotten now and then, in steps that do not keep anybody waiting.
constexpr Duration kNextStep = std::chrono::milliseconds(50);
constexpr Duration kLongestPurgePause = std::chrono::hours(1);
constexpr int kPurgesPerTtl = 64;
constexpr std::size_t kTombstonesPerStep = 64;

}  // namespace

// Only who asks for a whole collection would recognise what comes back. And a peer that is connected and has not heard
// of a deletion yet will not ask again: its cursor is about to pass it.
store::PurgeLimits Engine::Impl::purge_limits() const {
  store::PurgeLimits limits;
  for (const auto& [key, subscription] : shared.subscriptions) {
    if (!subscription.predicate.matches_everything()) continue;
    const std::string& collection = subscription.predicate.collection();
    std::uint64_t limit = shared.head;
    for (const auto& [link, session] : sessions) {
      if (options.mutation != Mutation::PurgedUnheard) limit = std::min(limit, session->heard(collection));
    }
    limits.insert_or_assign(collection, limit);
  }
  return limits;
}

// Nothing is lost if it fails: it is tried again.
void Engine::Impl::purge(Instant now) {
  const WallTime before = shared.store.wall_now() - std::chrono::ceil<std::chrono::milliseconds>(options.tombstone_ttl);
  std::optional<store::PurgePlace> next;
  if (options.mutation == Mutation::PurgedUnknown) {
    static_cast<void>(shared.store.purge(before, kTombstonesPerStep));
  } else if (const auto step = shared.store.purge_known(before, purge_limits(), purge_place, kTombstonesPerStep)) {
    next = step->next;
  }
  purge_place = next.value_or(store::PurgePlace{});
  const Duration pause = std::clamp<Duration>(options.tombstone_ttl / kPurgesPerTtl, kNextStep, kLongestPurgePause);
  purge_due = now + (next ? kNextStep : pause);
}

}  // namespace fermata::sync
