#include "sync/intake.hpp"

#include <algorithm>

namespace fermata::sync {
namespace {

// A subscription keeps up to three numbers per remote store, under keys derived from its own.
enum class Kept : std::uint64_t { Seq = 0, IncompleteBase = 1, Confirmed = 2 };

std::uint64_t stored_key(std::uint64_t key, Kept what) {
  if (what == Kept::Seq) return key;
  // The finaliser of SplitMix64: spreads neighbours over the whole range.
  std::uint64_t mixed = key + static_cast<std::uint64_t>(what) * 0x9e3779b97f4a7c15u;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  return mixed ^ (mixed >> 31);
}

// 0 is what the store gives for "none": then the position is complete.
std::uint64_t stored_base(const Position& position) {
  return position.base == position.seq ? 0 : position.base + 1;
}

}  // namespace

const query::Predicate& Intake::predicate(std::uint64_t key) const {
  return shared_.subscriptions.at(key).predicate;
}

Status Intake::follow(const store::Epoch& remote_epoch, const store::Epoch& our_epoch) {
  remote_epoch_ = remote_epoch;
  our_epoch_ = our_epoch;
  remote_head_ = 0;
  incoming_.clear();
  for (const auto& [key, subscription] : shared_.subscriptions) {
    if (auto added = add(key); !added) return added;
  }
  return {};
}

Status Intake::add(std::uint64_t key) {
  Incoming incoming;
  if (!remote_epoch_.empty()) {
    const auto seq = shared_.store.cursor(remote_epoch_, stored_key(key, Kept::Seq));
    const auto base = shared_.store.cursor(remote_epoch_, stored_key(key, Kept::IncompleteBase));
    const auto confirmed = shared_.store.cursor(remote_epoch_, stored_key(key, Kept::Confirmed));
    for (const auto* loaded : {&seq, &base, &confirmed}) {
      if (!*loaded) return fail(loaded->error());
    }
    const std::uint64_t known_base = *base == 0 ? *seq : std::min(*base - 1, *seq);
    incoming.progress = Progress(Position{known_base, *seq});
    incoming.confirmed = incoming.saved_confirmed = *confirmed;
  }
  // Whatever we hold when a subscription begins from nothing, the remote names.
  if (incoming.progress.position().seq == 0) incoming.confirmed = shared_.head;
  incoming_.insert_or_assign(key, std::move(incoming));
  return {};
}

Wanted Intake::wanted(std::uint64_t key) const {
  return {key, predicate(key).text(), remote_epoch_, incoming_.at(key).progress.position()};
}

std::vector<Wanted> Intake::wanted() const {
  std::vector<Wanted> all;
  for (const auto& [key, incoming] : incoming_) all.push_back(wanted(key));
  return all;
}

Result<Intake::Applied> Intake::apply(const Changes& changes, const Feed& feed) {
  Applied applied;
  auto transaction = shared_.store.begin();
  if (!transaction) return fail(std::move(transaction.error()));
  for (const SentDocument& sent : changes.documents) {
    if (auto merged = merge(*transaction, sent, feed, applied); !merged) return fail(std::move(merged.error()));
  }
  if (auto checked = check_names(*transaction, changes, applied); !checked) return fail(std::move(checked.error()));
  std::map<std::uint64_t, Progress> next;
  // A first flight may have been meant for a store that we no longer are: its data is good, its promises are not.
  const bool trusted = changes.assumed_epoch.empty() || changes.assumed_epoch == our_epoch_;
  if (trusted && !applied.wanted.empty()) applied.held = changes.ranges;
  if (trusted && (applied.wanted.empty() || shared_.options.mutation == Mutation::HeldRangeFolded)) {
    auto progress = folded(changes);
    if (!progress) return fail(std::move(progress.error()));
    next = std::move(*progress);
  }
  for (const auto& [key, progress] : next) {
    if (auto saved = save(*transaction, key, incoming_.at(key), progress); !saved)
      return fail(std::move(saved.error()));
  }
  if (auto committed = transaction->commit(); !committed) return fail(std::move(committed.error()));
  for (auto& [key, progress] : next) {
    incoming_.at(key).progress = std::move(progress);
    incoming_.at(key).saved_confirmed = incoming_.at(key).confirmed;
  }
  if (trusted) remote_head(changes.head);
  return applied;
}

Status Intake::merge(store::Transaction& transaction, const SentDocument& sent, const Feed& feed, Applied& applied) {
  const crdt::Delta& delta = sent.delta;
  if (!sent.fingerprint) return transaction.merge(delta, source_);
  const auto before = transaction.load(delta.collection, delta.id);
  if (!before) return fail(before.error());
  if (auto merged = transaction.merge(delta, source_); !merged) return merged;
  const auto after = transaction.load(delta.collection, delta.id);
  if (!after) return fail(after.error());
  if (shared_.options.mutation == Mutation::FingerprintIgnored) return {};
  if (after->fingerprint() != *sent.fingerprint &&
      feed.overlooks(delta.collection, delta.id, before->view(), after->view()))
    applied.corrections.push_back({delta.collection, delta.id});
  return {};
}

Status Intake::check_names(store::Transaction& transaction, const Changes& changes, Applied& applied) {
  for (const DocumentName& name : changes.named) {
    const auto document = transaction.load(name.collection, name.id);
    if (!document) return fail(document.error());
    if (document->exists()) applied.wanted.push_back(name);
  }
  return {};
}

Result<std::map<std::uint64_t, Progress>> Intake::folded(const Changes& changes) const {
  std::map<std::uint64_t, Progress> next;
  for (Range range : changes.ranges) {
    const auto known = incoming_.find(range.subscription);
    if (known == incoming_.end()) continue;  // ended by us, while this was on its way
    if (shared_.options.mutation == Mutation::CursorOffByOne) ++range.to;
    Progress& progress = next.try_emplace(range.subscription, known->second.progress).first->second;
    if (auto done = progress.fold(range); !done) return fail(std::move(done.error()));
  }
  return next;
}

Status Intake::save(store::Transaction& transaction, std::uint64_t key, const Incoming& incoming,
                    const Progress& progress) {
  const auto put = [&](Kept what, std::uint64_t value) {
    return transaction.save_cursor({remote_epoch_, stored_key(key, what), value});
  };
  const Position& old = incoming.progress.position();
  const Position& now = progress.position();
  if (old.seq != now.seq) {
    if (auto done = put(Kept::Seq, now.seq); !done) return done;
  }
  if (stored_base(old) != stored_base(now)) {
    if (auto done = put(Kept::IncompleteBase, stored_base(now)); !done) return done;
  }
  if (incoming.confirmed == incoming.saved_confirmed || predicate(key).matches_everything()) return {};
  return put(Kept::Confirmed, incoming.confirmed);
}

bool Intake::caught_up() const {
  return std::all_of(incoming_.begin(), incoming_.end(),
                     [&](const auto& entry) { return entry.second.progress.position().seq >= remote_head_; });
}

std::vector<std::pair<std::uint64_t, Position>> Intake::cursors() const {
  std::vector<std::pair<std::uint64_t, Position>> all;
  for (const auto& [key, incoming] : incoming_) all.emplace_back(key, incoming.progress.position());
  return all;
}

std::optional<std::uint64_t> Intake::confirmed(std::string_view collection) const {
  std::optional<std::uint64_t> lowest;
  for (const auto& [key, incoming] : incoming_) {
    const query::Predicate& ours = predicate(key);
    if (ours.matches_everything() || ours.collection() != collection) continue;
    lowest = std::min(lowest.value_or(incoming.confirmed), incoming.confirmed);
  }
  return lowest;
}

void Intake::confirm(const Feed& feed) {
  for (auto& [key, incoming] : incoming_) {
    if (predicate(key).matches_everything()) continue;
    if (const auto settled = feed.settled(predicate(key).collection()))
      incoming.confirmed = std::max(incoming.confirmed, *settled);
  }
}

void Intake::save_confirmed() {
  if (remote_epoch_.empty()) return;
  const bool stale = std::any_of(incoming_.begin(), incoming_.end(), [&](const auto& entry) {
    return entry.second.confirmed != entry.second.saved_confirmed && !predicate(entry.first).matches_everything();
  });
  if (!stale) return;
  auto transaction = shared_.store.begin();
  if (!transaction) return;
  for (auto& [key, incoming] : incoming_) {
    if (auto saved = save(*transaction, key, incoming, incoming.progress); !saved) return;
  }
  // What is not stored is only sent again.
  if (transaction->commit()) {
    for (auto& [key, incoming] : incoming_) incoming.saved_confirmed = incoming.confirmed;
  }
}

}  // namespace fermata::sync
