// Which live changes a session pushes and which it only offers (docs/PROTOCOL.md, "Eager and lazy"). A link is eager
// for everything until its receiver says that what comes over it has come another way already. Pure. Private to sync/.
#pragma once

#include <set>
#include <vector>

#include "sync/messages.hpp"

namespace fermata::sync {

class Spread {
 public:
  // Changes by this actor, for this subscription of the remote's, are offered from now on.
  void prune(const Branch& branch);
  // They are pushed again.
  void graft(const Branch& branch) { lazy_.erase({branch.subscription, branch.actor}); }
  // The subscription has ended or begins anew.
  void forget(std::uint64_t subscription);

  // Whether a change with these authors is to be offered to these subscriptions: nobody among them needs to be pushed
  // any of it. A change without authors (a deletion) is as small as its offer, and never lazy.
  [[nodiscard]] bool lazy(const std::vector<std::uint64_t>& subscriptions,
                          const std::vector<crdt::ActorId>& actors) const;
  [[nodiscard]] std::size_t size() const { return lazy_.size(); }

 private:
  std::set<std::pair<std::uint64_t, crdt::ActorId>> lazy_;  // subscription, actor
};

// Who wrote what a delta carries, each once, in ascending order.
[[nodiscard]] std::vector<crdt::ActorId> authors_of(const crdt::Delta& delta);

}  // namespace fermata::sync
