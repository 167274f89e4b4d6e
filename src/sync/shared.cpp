#include "sync/shared.hpp"

#include <algorithm>

#include "crdt/digest.hpp"

namespace fermata::sync {

bool Shared::filters(std::string_view collection) const {
  return std::any_of(subscriptions.begin(), subscriptions.end(), [&](const auto& entry) {
    const query::Predicate& predicate = entry.second.predicate;
    return !predicate.matches_everything() && predicate.collection() == collection;
  });
}

std::uint64_t latest_change(const crdt::Document& document) {
  std::uint64_t latest = document.life_mark().local_seq;
  for (const crdt::Register& each : document.registers()) latest = std::max(latest, each.mark.local_seq);
  return latest;
}

void Outlet::send(Bytes frame) {
  if (compress) {
    if (const auto packed = shared.compressor.pack(frame)) frame = encode_compressed(*packed, frame.size());
  }
  bytes_sent += frame.size();
  shared.actions.emplace_back(SendFrame{link, std::move(frame)});
}

LoadedCommit::LoadedCommit(store::Store& store, const SubscriptionIndex& index, const store::CommitEvent& event)
    : store_(store), event_(event) {
  if (index.empty()) return;
  candidates_.resize(event.changes.size());
  for (std::size_t i = 0; i < event.changes.size(); ++i) {
    const store::DocumentChange& change = event.changes[i];
    std::vector<SubscriptionIndex::Holder>& found = candidates_[i];
    if (change.existed_before) index.find(change.collection, change.id, change.before, found);
    index.find(change.collection, change.id, change.after, found);
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
  }
}

std::span<const SubscriptionIndex::Holder> LoadedCommit::candidates(std::size_t index, LinkId link) const {
  if (candidates_.empty()) return {};
  const auto& all = candidates_[index];
  const auto first = std::lower_bound(all.begin(), all.end(), SubscriptionIndex::Holder{link, 0});
  const auto end = std::find_if(first, all.end(), [link](const auto& holder) { return holder.link != link; });
  return {first, end};
}

bool LoadedCommit::concerns(LinkId link) const {
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (!candidates(i, link).empty()) return true;
  }
  return false;
}

Result<const crdt::Document*> LoadedCommit::document(std::size_t index) {
  documents_.resize(event_.changes.size());
  std::optional<crdt::Document>& slot = documents_[index];
  if (!slot) {
    const store::DocumentChange& change = event_.changes[index];
    auto loaded = store_.load(change.collection, change.id);
    if (!loaded) return fail(std::move(loaded.error()));
    slot = std::move(*loaded);
  }
  return &*slot;
}

Result<std::uint64_t> LoadedCommit::version(std::size_t index) {
  auto loaded = document(index);
  if (!loaded) return fail(std::move(loaded.error()));
  return crdt::version_of(event_.changes[index].collection, event_.changes[index].id, **loaded);
}

}  // namespace fermata::sync
