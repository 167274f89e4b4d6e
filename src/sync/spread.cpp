#include "sync/spread.hpp"

#include <algorithm>
#include <limits>

#include "sync/limits.hpp"

namespace fermata::sync {

void Spread::prune(const Branch& branch) {
  if (lazy_.size() >= kMaxLazy) lazy_.clear();
  lazy_.emplace(branch.subscription, branch.actor);
}

void Spread::forget(std::uint64_t subscription) {
  lazy_.erase(lazy_.lower_bound({subscription, 0}),
              lazy_.upper_bound({subscription, std::numeric_limits<crdt::ActorId>::max()}));
}

bool Spread::lazy(const std::vector<std::uint64_t>& subscriptions, const std::vector<crdt::ActorId>& actors) const {
  if (lazy_.empty() || subscriptions.empty() || actors.empty()) return false;
  return std::all_of(subscriptions.begin(), subscriptions.end(), [&](std::uint64_t subscription) {
    return std::all_of(actors.begin(), actors.end(), [&](crdt::ActorId actor) {
      return lazy_.contains({subscription, actor});
    });
  });
}

std::vector<crdt::ActorId> authors_of(const crdt::Delta& delta) {
  std::vector<crdt::ActorId> actors;
  for (const crdt::Register& each : delta.registers) actors.push_back(each.dot.actor);
  std::sort(actors.begin(), actors.end());
  actors.erase(std::unique(actors.begin(), actors.end()), actors.end());
  return actors;
}

}  // namespace fermata::sync
