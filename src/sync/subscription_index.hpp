// Finds the subscriptions that a document may match, so that the cost of a change does not grow with those that it
// cannot: by the value that they demand at a path. One index serves all sessions of an engine. Private to sync/.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/transport.hpp"
#include "query/predicate.hpp"

namespace fermata::sync {

class SubscriptionIndex {
 public:
  // One subscription of one session's remote.
  struct Holder {
    LinkId link = 0;
    std::uint64_t subscription = 0;
    friend auto operator<=>(const Holder&, const Holder&) = default;
  };

  void add(const Holder& holder, const query::Predicate& predicate);
  // With the predicate that it was added with.
  void remove(const Holder& holder, const query::Predicate& predicate);

  [[nodiscard]] bool empty() const { return collections_.empty(); }

  // Appends all that match the document, and few others: those whose predicate demands no single value, and those that
  // demand one that the document has. Some may come twice when called for several states of it.
  void find(const std::string& collection, std::string_view id, const Map& view, std::vector<Holder>& found) const;

 private:
  using Holders = std::set<Holder>;
  struct Collection {
    Holders others;
    std::map<crdt::Path, std::unordered_map<std::string, Holders>> by_value;
  };

  std::unordered_map<std::string, Collection> collections_;
};

}  // namespace fermata::sync
