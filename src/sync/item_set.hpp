// The items of a subscription: the versions of the living documents that match it. Two stores hold the same documents
// of it if and only if their items are the same. Private to sync/.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "query/predicate.hpp"
#include "store/store.hpp"

namespace fermata::sync {

struct Item {
  std::uint64_t version = 0;
  std::uint64_t row = 0;  // where the store has the document, whatever becomes of it
};

// All items as of one moment.
struct ItemSet {
  std::vector<Item> items;  // ascending by version, each once
  crdt::Digest digest;
  std::uint64_t head = 0;  // of the store's log at that moment

  [[nodiscard]] std::vector<std::uint64_t> versions() const;
  [[nodiscard]] std::optional<std::uint64_t> row_of(std::uint64_t version) const;
};

// Reads the log's index only if the subscription is to a whole collection, and else every document of it.
// Errors: the store's.
[[nodiscard]] Result<ItemSet> read_item_set(store::Store& store, const query::Predicate& predicate);

// The digests of subscriptions, kept up with every commit once they have been asked for.
class SetDigests {
 public:
  // Beyond this many WHERE subscriptions no digest is known of the others: each is updated by every commit.
  static constexpr std::size_t kMaxKept = 64;
  // And none of a collection with more documents, all of which would have to be read once.
  static constexpr std::uint64_t kMaxScanned = 1u << 18;

  explicit SetDigests(store::Store& store) : store_(store) {}

  // Of the documents as of local seq `head`; nothing if the store has moved on already, or beyond the limits above.
  // Errors: the store's.
  [[nodiscard]] Result<std::optional<crdt::Digest>> of(const query::Predicate& predicate, std::uint64_t head);
  // Whoever may ask for the digest of this predicate, until remove_user().
  void add_user(const query::Predicate& predicate) { ++users_[predicate.key()]; }
  void remove_user(const query::Predicate& predicate);
  // Forgets what nobody may ask for. Not as soon as it is: a link that breaks comes back, and whoever is on it would
  // make us read all documents again.
  void free_unused();
  // Each commit, in order; else clear().
  void committed(const store::CommitEvent& event);
  void clear() { kept_.clear(); }

 private:
  struct Kept {
    query::Predicate predicate;
    crdt::Digest digest;
  };
  store::Store& store_;
  std::map<std::uint64_t, Kept> kept_;                    // by the predicate's key
  std::unordered_map<std::uint64_t, std::size_t> users_;  // likewise; none has no entry
};

}  // namespace fermata::sync
