// What our own subscriptions ask for, for whoever wants to evict it: it would come straight back. Thread-safe.
#pragma once

#include <map>
#include <mutex>

#include "query/predicate.hpp"
#include "sync/engine.hpp"

namespace fermata {

class Wanted {
 public:
  void add(sync::SubscriptionId id, const query::Predicate& predicate);
  void remove(sync::SubscriptionId id);
  // Error: InvalidArgument, naming a subscription that matches.
  [[nodiscard]] Status may_evict(std::string_view collection, std::string_view id, const Map& fields) const;

 private:
  mutable std::mutex mutex_;
  std::map<sync::SubscriptionId, query::Predicate> predicates_;
};

}  // namespace fermata
