#include "sync/subscription_index.hpp"

namespace fermata::sync {

void SubscriptionIndex::add(const Holder& holder, const query::Predicate& predicate) {
  Collection& collection = collections_[predicate.collection()];
  if (const auto equality = predicate.equality()) {
    collection.by_value[equality->path][equality->key].insert(holder);
  } else {
    collection.others.insert(holder);
  }
}

void SubscriptionIndex::remove(const Holder& holder, const query::Predicate& predicate) {
  const auto collection = collections_.find(predicate.collection());
  if (collection == collections_.end()) return;
  auto& [others, by_value] = collection->second;
  if (const auto equality = predicate.equality()) {
    const auto values = by_value.find(equality->path);
    if (values == by_value.end()) return;
    const auto holders = values->second.find(equality->key);
    if (holders == values->second.end()) return;
    holders->second.erase(holder);
    if (holders->second.empty()) values->second.erase(holders);
    if (values->second.empty()) by_value.erase(values);
  } else {
    others.erase(holder);
  }
  if (others.empty() && by_value.empty()) collections_.erase(collection);
}

void SubscriptionIndex::find(const std::string& collection, std::string_view id, const Map& view,
                             std::vector<Holder>& found) const {
  const auto known = collections_.find(collection);
  if (known == collections_.end()) return;
  found.insert(found.end(), known->second.others.begin(), known->second.others.end());
  for (const auto& [path, values] : known->second.by_value) {
    const auto key = query::equality_key(path, id, view);
    if (!key) continue;
    if (const auto holders = values.find(*key); holders != values.end())
      found.insert(found.end(), holders->second.begin(), holders->second.end());
  }
}

}  // namespace fermata::sync
