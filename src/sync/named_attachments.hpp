// The attachments that the documents of some subscriptions name, which are fetched with them. Private to sync/.
#pragma once

#include <map>

#include "sync/shared.hpp"

namespace fermata::sync {

class NamedAttachments {
 public:
  explicit NamedAttachments(Shared& shared) : shared_(shared) {}

  // Looks through the collection once.
  void begin(SubscriptionId id, const query::Predicate& predicate, Instant now);
  void end(SubscriptionId id);
  void committed(const store::CommitEvent& event, Instant now);
  // What was committed is not known: looks through the collections again.
  void look_again(Instant now);

 private:
  void look_through(SubscriptionId id, const query::Predicate& predicate);
  void want_all(SubscriptionId id, const Value& value);

  Shared& shared_;
  std::map<SubscriptionId, query::Predicate> subscriptions_;
};

}  // namespace fermata::sync
