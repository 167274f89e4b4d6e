#include "sync/intake.hpp"

#include <algorithm>

#include "crdt/digest.hpp"

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

// Beyond the limit some are left as they are, which costs a duplicate or a delay.
void add_branch(const Branch& branch, std::vector<Branch>& branches) {
  if (branches.size() >= kMaxBranchesPerFrame) return;
  if (std::find(branches.begin(), branches.end(), branch) == branches.end()) branches.push_back(branch);
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
  // What cannot be known now counts as something.
  const auto held = shared_.store.digest(predicate(key).collection());
  return {key, predicate(key).text(), remote_epoch_, position(key), held ? held->digest.count : 1, brought_};
}

std::vector<Wanted> Intake::wanted() const {
  std::vector<Wanted> all;
  for (const auto& [key, incoming] : incoming_) all.push_back(wanted(key));
  return all;
}

void Intake::leave_out(Changes& changes, const Refuses& refuses) const {
  std::erase_if(changes.documents, [&](const SentDocument& each) { return refuses(each.delta.collection); });
  std::erase_if(changes.named, [&](const DocumentName& each) { return refuses(each.collection); });
  std::erase_if(changes.offers, [&](const Offer& each) { return refuses(each.collection); });
  std::erase_if(changes.ranges, [&](const Range& each) {
    return incoming_.contains(each.subscription) && refuses(predicate(each.subscription).collection());
  });
}

Status Intake::restart(std::uint64_t key, Position position) {
  Incoming& incoming = incoming_.at(key);
  auto transaction = shared_.store.begin();
  if (!transaction) return fail(std::move(transaction.error()));
  Progress progress(position);
  if (auto saved = save(*transaction, key, incoming, progress); !saved) return saved;
  if (auto committed = transaction->commit(); !committed) return fail(std::move(committed.error()));
  incoming.progress = std::move(progress);
  incoming.saved_confirmed = incoming.confirmed;
  return {};
}

Result<Intake::Applied> Intake::apply(Changes changes, const Feed& feed, const Refuses& refuses, Instant now) {
  Applied applied;
  leave_out(changes, refuses);
  // Catching up may bring what others bring too; that says nothing about who is quicker.
  const bool live = caught_up() && shared_.greeted > 1;
  auto transaction = shared_.store.begin();
  if (!transaction) return fail(std::move(transaction.error()));
  for (const SentDocument& sent : changes.documents) {
    auto changed = merge(*transaction, sent, feed, applied);
    if (!changed) return fail(std::move(changed.error()));
    if (!*changed && live) {
      if (auto noted = note_duplicate(*transaction, sent.delta, applied); !noted) return fail(std::move(noted.error()));
    }
  }
  if (auto checked = check_names(*transaction, changes, applied); !checked) return fail(std::move(checked.error()));
  // A first flight may have been meant for a store that we no longer are: its data is good, its promises are not.
  const bool trusted = changes.assumed_epoch.empty() || changes.assumed_epoch == our_epoch_;
  if (trusted) {
    if (auto checked = check_offers(*transaction, changes, feed, applied); !checked)
      return fail(std::move(checked.error()));
    if (!applied.wanted.empty() || offers_.full() || !may_come_otherwise())
      ask_for(std::exchange(applied.open, {}), changes.ranges, applied);
    if (!applied.wanted.empty()) applied.held = changes.ranges;
  }
  const bool fold = (applied.wanted.empty() || shared_.options.mutation == Mutation::HeldRangeFolded) &&
                    (applied.open.empty() || shared_.options.mutation == Mutation::OpenOffersFolded);
  auto next = folded(trusted && fold ? changes.ranges : std::vector<Range>());
  if (!next) return fail(std::move(next.error()));
  if (auto saved = save(*transaction, *next); !saved) return fail(std::move(saved.error()));
  if (auto committed = transaction->commit(); !committed) return fail(std::move(committed.error()));
  adopt(std::move(*next));
  if (!applied.open.empty()) offers_.hold(changes.ranges, applied.open, now + shared_.options.graft_after);
  if (trusted) remote_head(changes.head);
  return applied;
}

Result<bool> Intake::merge(store::Transaction& transaction, const SentDocument& sent, const Feed& feed,
                           Applied& applied) {
  const crdt::Delta& delta = sent.delta;
  const auto life = transaction.life(delta.collection, delta.id);
  if (!life) return fail(life.error());
  const Mutation mutation = shared_.options.mutation;
  if (!delta.whole && crdt::kept_life(delta.life) > crdt::kept_life(*life) && mutation != Mutation::PartTakenForWhole) {
    applied.wanted.push_back({delta.collection, delta.id});
    return true;
  }
  // Our log may have told the remote long ago, and others have given the document to it since.
  if (delta.life % 2 == 1 && delta.life < *life && mutation != Mutation::DeadUntold) {
    applied.corrections.push_back({delta.collection, delta.id});
    return transaction.merge(delta, source_);
  }
  if (!sent.fingerprint) return transaction.merge(delta, source_);
  const auto before = transaction.load(delta.collection, delta.id);
  if (!before) return fail(before.error());
  auto changed = transaction.merge(delta, source_);
  if (!changed) return changed;
  const auto after = transaction.load(delta.collection, delta.id);
  if (!after) return fail(after.error());
  if (shared_.options.mutation == Mutation::FingerprintIgnored) return changed;
  if (after->fingerprint() != *sent.fingerprint &&
      feed.overlooks(delta.collection, delta.id, before->view(), after->view()))
    applied.corrections.push_back({delta.collection, delta.id});
  return changed;
}

// For which of our subscriptions the remote need not have sent this.
Status Intake::note_duplicate(store::Transaction& transaction, const crdt::Delta& delta, Applied& applied) {
  const std::vector<crdt::ActorId> authors = authors_of(delta);
  if (authors.empty() || authors.size() > kMaxAuthorsPerOffer) return {};
  const auto document = transaction.load(delta.collection, delta.id);
  if (!document) return fail(document.error());
  const Map view = document->view();
  for (const auto& [key, incoming] : incoming_) {
    const query::Predicate& ours = predicate(key);
    if (ours.collection() != delta.collection || !ours.matches(delta.id, view)) continue;
    for (crdt::ActorId author : authors) add_branch({key, author}, applied.prune);
  }
  return {};
}

bool Intake::may_come_otherwise() const {
  return brought_ ? !shared_.walkers.empty() : shared_.greeted > 1;
}

Status Intake::check_offers(store::Transaction& transaction, const Changes& changes, const Feed& feed,
                            Applied& applied) {
  for (const Offer& offer : changes.offers) {
    auto here = came(transaction, offer, feed, applied);
    if (!here) return fail(std::move(here.error()));
    if (*here || shared_.options.mutation == Mutation::OfferTakenForGranted) {
      applied.passed.push_back(offer.version);
    } else {
      applied.open.push_back(offer);
    }
  }
  return {};
}

Result<bool> Intake::came(store::Transaction& transaction, const Offer& offer, const Feed& feed,
                          Applied& applied) const {
  const bool passed = shared_.passed.contains(offer.version);
  const bool asks = feed.asks_for_some_of(offer.collection);
  if (passed && !asks) return true;
  const auto document = transaction.load(offer.collection, offer.id);
  if (!document) return fail(document.error());
  if (crdt::version_of(offer.collection, offer.id, *document) == offer.version) return true;
  if (!passed) return false;
  const Map view = document->view();
  if (asks && feed.overlooks(offer.collection, offer.id, view, view))
    applied.corrections.push_back({offer.collection, offer.id});
  return true;
}

// The frame's ranges tell which of our subscriptions are fed by this link.
void Intake::ask_for(std::vector<Offer> offers, const std::vector<Range>& ranges, Applied& applied) const {
  for (Offer& offer : offers) {
    for (const Range& range : ranges) {
      const auto subscription = shared_.subscriptions.find(range.subscription);
      if (subscription == shared_.subscriptions.end() ||
          subscription->second.predicate.collection() != offer.collection)
        continue;
      for (crdt::ActorId author : offer.authors) add_branch({range.subscription, author}, applied.graft);
    }
    applied.wanted.push_back({std::move(offer.collection), std::move(offer.id)});
  }
}

Result<bool> Intake::settle(LoadedCommit& commit, const Feed& feed, std::vector<DocumentName>& corrections) {
  const auto& changes = commit.event().changes;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (!offers_.reached(changes[i].version_after) || !feed.asks_for_some_of(changes[i].collection)) continue;
    auto document = commit.document(i);
    if (!document) return fail(std::move(document.error()));
    const Map view = (*document)->view();
    if (crdt::version_of(changes[i].collection, changes[i].id, **document) != changes[i].version_after &&
        feed.overlooks(changes[i].collection, changes[i].id, view, view))
      corrections.push_back({changes[i].collection, changes[i].id});
  }
  return settle();
}

Result<bool> Intake::settle() {
  const std::vector<Range> complete = offers_.take_complete();
  if (complete.empty()) return false;
  auto next = folded(complete);
  if (!next) return fail(std::move(next.error()));
  auto transaction = shared_.store.begin();
  if (!transaction) return fail(std::move(transaction.error()));
  if (auto saved = save(*transaction, *next); !saved) return fail(std::move(saved.error()));
  if (auto committed = transaction->commit(); !committed) return fail(std::move(committed.error()));
  adopt(std::move(*next));
  return true;
}

// As long as another link brings what we lack, what is offered may still come over it.
std::optional<Instant> Intake::deadline() const {
  const auto due = offers_.deadline();
  if (!due || !brought_ || shared_.walkers.empty()) return due;
  return std::max(*due, shared_.walked + shared_.options.graft_after);
}

std::optional<Intake::Applied> Intake::overdue(Instant now) {
  const auto due = deadline();
  if (!due || *due > now) return std::nullopt;
  Offers::Overdue oldest = offers_.take_oldest();
  if (shared_.options.mutation == Mutation::LazyForEver) return std::nullopt;
  Applied asked;
  ask_for(std::move(oldest.offers), oldest.ranges, asked);
  asked.held = std::move(oldest.ranges);
  return asked;
}

Status Intake::check_names(store::Transaction& transaction, const Changes& changes, Applied& applied) {
  for (const DocumentName& name : changes.named) {
    const auto document = transaction.load(name.collection, name.id);
    if (!document) return fail(document.error());
    if (document->exists()) applied.wanted.push_back(name);
  }
  return {};
}

Result<Intake::Folded> Intake::folded(const std::vector<Range>& ranges) const {
  Folded next;
  for (Range range : ranges) {
    const auto known = incoming_.find(range.subscription);
    if (known == incoming_.end()) continue;  // ended by us, while this was on its way
    if (shared_.options.mutation == Mutation::CursorOffByOne) ++range.to;
    Progress& progress = next.try_emplace(range.subscription, known->second.progress).first->second;
    if (auto done = progress.fold(range); !done) return fail(std::move(done.error()));
  }
  return next;
}

Status Intake::save(store::Transaction& transaction, const Folded& folded) {
  for (const auto& [key, progress] : folded) {
    if (auto saved = save(transaction, key, incoming_.at(key), progress); !saved) return saved;
  }
  return {};
}

void Intake::adopt(Folded folded) {
  for (auto& [key, progress] : folded) {
    Incoming& incoming = incoming_.at(key);
    incoming.progress = std::move(progress);
    incoming.saved_confirmed = incoming.confirmed;
  }
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
