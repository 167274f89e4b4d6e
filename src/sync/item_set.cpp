#include "sync/item_set.hpp"

#include <algorithm>

namespace fermata::sync {
namespace {

void update(crdt::Digest& digest, const query::Predicate& predicate, const store::DocumentChange& change) {
  if (change.alive_before && predicate.matches(change.id, change.before)) digest.remove(change.version_before);
  if (change.alive_after && predicate.matches(change.id, change.after)) digest.add(change.version_after);
}

}  // namespace

std::vector<std::uint64_t> ItemSet::versions() const {
  std::vector<std::uint64_t> all;
  all.reserve(items.size());
  for (const Item& item : items) all.push_back(item.version);
  return all;
}

std::optional<std::uint64_t> ItemSet::row_of(std::uint64_t version) const {
  const auto found = std::lower_bound(items.begin(), items.end(), version,
                                      [](const Item& item, std::uint64_t wanted) { return item.version < wanted; });
  if (found == items.end() || found->version != version) return std::nullopt;
  return found->row;
}

Result<ItemSet> read_item_set(store::Store& store, const query::Predicate& predicate) {
  ItemSet set;
  const auto take = [&](std::uint64_t, std::uint64_t version, std::uint64_t row) {
    set.items.push_back({version, row});
    set.digest.add(version);
  };
  const auto take_matching = [&](const store::LivingDocument& document) {
    if (predicate.matches(document.id, document.view)) take(document.local_seq, document.version, document.row);
  };
  auto head = predicate.matches_everything() ? store.for_each_version(predicate.collection(), take)
                                             : store.for_each_living(predicate.collection(), take_matching);
  if (!head) return fail(std::move(head.error()));
  set.head = *head;
  std::sort(set.items.begin(), set.items.end(), [](const Item& a, const Item& b) { return a.version < b.version; });
  const auto same = [](const Item& a, const Item& b) { return a.version == b.version; };
  set.items.erase(std::unique(set.items.begin(), set.items.end(), same), set.items.end());
  return set;
}

Result<std::optional<crdt::Digest>> SetDigests::of(const query::Predicate& predicate, std::uint64_t head) {
  std::optional<crdt::Digest> none;
  const auto whole = store_.digest(predicate.collection());
  if (!whole) return fail(whole.error());
  if (whole->head != head) return none;
  if (predicate.matches_everything()) return whole->digest;
  if (const auto known = kept_.find(predicate.key()); known != kept_.end()) return known->second.digest;
  if (kept_.size() >= kMaxKept) free_unused();
  if (kept_.size() >= kMaxKept || whole->digest.count > kMaxScanned) return none;
  Kept fresh{predicate, {}};
  const auto scanned = store_.for_each_living(predicate.collection(), [&](const store::LivingDocument& document) {
    if (predicate.matches(document.id, document.view)) fresh.digest.add(document.version);
  });
  if (!scanned) return fail(scanned.error());
  if (*scanned != head) return none;
  return kept_.emplace(predicate.key(), std::move(fresh)).first->second.digest;
}

void SetDigests::remove_user(const query::Predicate& predicate) {
  const auto found = users_.find(predicate.key());
  if (found != users_.end() && --found->second == 0) users_.erase(found);
}

void SetDigests::free_unused() {
  std::erase_if(kept_, [&](const auto& entry) { return !users_.contains(entry.first); });
}

void SetDigests::committed(const store::CommitEvent& event) {
  for (auto& [key, kept] : kept_) {
    for (const store::EvictedDocument& gone : event.evicted) {
      if (gone.collection == kept.predicate.collection() && kept.predicate.matches(gone.id, gone.before))
        kept.digest.remove(gone.version_before);
    }
    for (const store::DocumentChange& change : event.changes) {
      if (change.collection == kept.predicate.collection()) update(kept.digest, kept.predicate, change);
    }
  }
}

}  // namespace fermata::sync
