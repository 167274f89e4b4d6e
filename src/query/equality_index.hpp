// Finds the queries that a document may match, so that the cost of a change does not grow with those that it cannot: by
// the value that they demand at a path. Not thread-safe.
#pragma once

#include <algorithm>
#include <map>
#include <unordered_map>
#include <vector>

#include "query/equality.hpp"

namespace fermata::query {

template <class Holder>
class EqualityIndex {
 public:
  void add(const Holder& holder, const std::string& collection, const std::optional<Equality>& equality) {
    Collection& known = collections_[collection];
    if (equality) {
      put(known.by_value[equality->path][equality->key], holder);
    } else {
      put(known.others, holder);
    }
  }

  // With what it was added with.
  void remove(const Holder& holder, const std::string& collection, const std::optional<Equality>& equality) {
    const auto known = collections_.find(collection);
    if (known == collections_.end()) return;
    auto& [others, by_value] = known->second;
    if (equality) {
      const auto values = by_value.find(equality->path);
      if (values == by_value.end()) return;
      const auto holders = values->second.find(equality->key);
      if (holders == values->second.end()) return;
      take_out(holders->second, holder);
      if (holders->second.empty()) values->second.erase(holders);
      if (values->second.empty()) by_value.erase(values);
    } else {
      take_out(others, holder);
    }
    if (others.empty() && by_value.empty()) collections_.erase(known);
  }

  [[nodiscard]] bool empty() const { return collections_.empty(); }
  [[nodiscard]] bool knows(const std::string& collection) const { return collections_.contains(collection); }

  // Appends all that match the document (`view` without "_id"), and few others: those that demand no single value, and
  // those that demand one that the document has. Some may come twice when called for several states of it.
  void find(const std::string& collection, std::string_view id, const Map& view, std::vector<Holder>& found) const {
    find_others(collection, found);
    find_equal(collection, id, view, found);
  }
  // Its two parts.
  void find_others(const std::string& collection, std::vector<Holder>& found) const {
    const auto known = collections_.find(collection);
    if (known != collections_.end())
      found.insert(found.end(), known->second.others.begin(), known->second.others.end());
  }
  void find_equal(const std::string& collection, std::string_view id, const Map& view,
                  std::vector<Holder>& found) const {
    const auto known = collections_.find(collection);
    if (known == collections_.end()) return;
    for (const auto& [path, values] : known->second.by_value) {
      const auto key = equality_key(path, id, view);
      if (!key) continue;
      if (const auto holders = values.find(*key); holders != values.end())
        found.insert(found.end(), holders->second.begin(), holders->second.end());
    }
  }

 private:
  // Sorted, without repetition: a change reads all of the others, far more often than one comes or goes.
  using Holders = std::vector<Holder>;
  static void put(Holders& holders, const Holder& holder) {
    const auto at = std::lower_bound(holders.begin(), holders.end(), holder, std::less<>());
    if (at == holders.end() || *at != holder) holders.insert(at, holder);
  }
  static void take_out(Holders& holders, const Holder& holder) {
    const auto at = std::lower_bound(holders.begin(), holders.end(), holder, std::less<>());
    if (at != holders.end() && *at == holder) holders.erase(at);
  }
  struct Collection {
    Holders others;
    std::map<crdt::Path, std::unordered_map<std::string, Holders>> by_value;
  };

  std::unordered_map<std::string, Collection> collections_;
};

}  // namespace fermata::query
