// Finds the subscriptions that a document may match. One index serves all sessions of an engine. Private to sync/.
#pragma once

#include "base/transport.hpp"
#include "query/equality_index.hpp"
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

  void add(const Holder& holder, const query::Predicate& predicate) {
    index_.add(holder, predicate.collection(), predicate.equality());
  }
  // With the predicate that it was added with.
  void remove(const Holder& holder, const query::Predicate& predicate) {
    index_.remove(holder, predicate.collection(), predicate.equality());
  }

  [[nodiscard]] bool empty() const { return index_.empty(); }

  // As query::EqualityIndex::find.
  void find(const std::string& collection, std::string_view id, const Map& view, std::vector<Holder>& found) const {
    index_.find(collection, id, view, found);
  }

 private:
  query::EqualityIndex<Holder> index_;
};

}  // namespace fermata::sync
