#include "sync/intake.hpp"

#include <algorithm>

#include "crdt/digest.hpp"

namespace fermata::sync {
namespace {

// A subscription keeps up to three numbers per remote store, under keys derived from its query's: they outlive it.
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

std::vector<std::uint64_t> stored_keys(std::uint64_t predicate_key) {
  return {predicate_key, stored_key(predicate_key, Kept::IncompleteBase), stored_key(predicate_key, Kept::Confirmed)};
}

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
    const auto seq = shared_.store.cursor(remote_epoch_, stored_key(predicate(key).key(), Kept::Seq));
    const auto base = shared_.store.cursor(remote_epoch_, stored_key(predicate(key).key(), Kept::IncompleteBase));
    const auto confirmed = shared_.store.cursor(remote_epoch_, stored_key(predicate(key).key(), Kept::Confirmed));
    for (const auto* loaded : {&seq, &base, &confirmed}) {
      if (!*loaded) return fail(loaded->error());
    }
    const Position stored{*base == 0 ? *seq : std::min(*base - 1, *seq), *seq};
    incoming.progress = Progress(stored);
    KnownCursor& known = shared_.cursors[remote_epoch_][key];
    known = {stored, std::max(known.reached, stored.seq)};
    incoming.confirmed = incoming.saved_confirmed = *confirmed;
  }
  // Whatever we hold when a subscription begins from nothing, the remote names.
  if (incoming.progress.position().seq == 0) incoming.confirmed = shared_.head;
  incoming_.insert_or_assign(key, std::move(incoming));
  return {};
}

bool Intake::is_overtaken(std::uint64_t key) const {
  const KnownCursor* known = known_cursor(key);
  return known != nullptr && known->reached != position(key).seq;
}

const KnownCursor* Intake::known_cursor(std::uint64_t key) const {
  const auto all = shared_.cursors.find(remote_epoch_);
  if (all == shared_.cursors.end()) return nullptr;
  const auto cursor = all->second.find(key);
  return cursor == all->second.end() ? nullptr : &cursor->second;
}

Wanted Intake::wanted(std::uint64_t key) const {
  // What cannot be known now counts as something.
  const auto held = shared_.store.digest(predicate(key).collection());
  const auto purged = shared_.store.purged_life(predicate(key).collection());
  return {key,      predicate(key).text(), remote_epoch_, position(key), held ? held->digest.count : 1,
          brought_, purged ? *purged : 0};
}

std::vector<Wanted> Intake::wanted() const {
  std::vector<Wanted> all;
  for (const auto& [key, incoming] : incoming_) all.push_back(wanted(key));
  return all;
}

void Intake::leave_out(Changes& changes, const GateOf& gate) const {
  const auto shut = [&](std::string_view collection) { return gate(collection) == Gate::Shut; };
  std::erase_if(changes.documents, [&](const SentDocument& each) { return shut(each.delta.collection); });
  std::erase_if(changes.named, [&](const DocumentName& each) { return shut(each.collection); });
  std::erase_if(changes.offers, [&](const Offer& each) { return shut(each.collection); });
  std::erase_if(changes.ranges, [&](const Range& each) {
    return incoming_.contains(each.subscription) && shut(predicate(each.subscription).collection());
  });
}

void Intake::remove(std::uint64_t key) {
  const auto incoming = incoming_.find(key);
  if (incoming == incoming_.end()) return;
  if (!remote_epoch_.empty() && is_stale(key, incoming->second)) save_stale({key});
  incoming_.erase(incoming);
}

Status Intake::restart(std::uint64_t key, Position position) {
  Incoming& incoming = incoming_.at(key);
  auto transaction = shared_.store.begin();
  if (!transaction) return fail(std::move(transaction.error()));
  // Another link to the same store may have stored another one.
  shared_.cursors[remote_epoch_].erase(key);
  if (auto saved = save(*transaction, key, incoming, position); !saved) return saved;
  if (auto committed = transaction->commit(); !committed) return fail(std::move(committed.error()));
  incoming.progress = Progress(position);
  incoming.saved_confirmed = incoming.confirmed;
  shared_.cursors[remote_epoch_][key] = {position, position.seq};
  return {};
}

Result<Intake::Applied> Intake::apply(Changes changes, const Feed& feed, const GateOf& gate, Instant now) {
  Applied applied;
  leave_out(changes, gate);
  if (shared_.has(Mutation::CursorBeforeData) && changes.named.empty() && changes.offers.empty()) {
    if (auto folded = fold_unread(changes); !folded) return fail(std::move(folded.error()));
  }
  auto transaction = shared_.store.begin();
  if (!transaction) return fail(std::move(transaction.error()));
  if (auto merged = merge_all(*transaction, changes, feed, gate, applied); !merged)
    return fail(std::move(merged.error()));
  if (!applied.dead.empty()) {
    // A transaction of its own, because it is a change of ours; before the frame counts, so that it is not forgotten.
    // What has been merged is good, counted or not.
    if (auto committed = transaction->commit(); !committed) return fail(std::move(committed.error()));
    if (auto buried = bury(applied); !buried) return fail(std::move(buried.error()));
    transaction = shared_.store.begin();
    if (!transaction) return fail(std::move(transaction.error()));
  }
  auto next = conclude(*transaction, changes, feed, applied);
  if (!next) return fail(std::move(next.error()));
  if (auto saved = save(*transaction, *next); !saved) return fail(std::move(saved.error()));
  if (auto committed = transaction->commit(); !committed) return fail(std::move(committed.error()));
  adopt(std::move(*next));
  if (!applied.open.empty()) offers_.hold(changes.ranges, applied.open, now + shared_.options.graft_after);
  if (is_trusted(changes)) remote_head(changes.head);
  return applied;
}

// A first flight may have been meant for a store that we no longer are: its data is good, its promises are not.
bool Intake::is_trusted(const Changes& changes) const {
  return changes.assumed_epoch.empty() || changes.assumed_epoch == our_epoch_;
}

Result<Intake::Folded> Intake::conclude(store::Transaction& transaction, const Changes& changes, const Feed& feed,
                                        Applied& applied) {
  if (auto checked = check_names(transaction, changes, applied); !checked) return fail(std::move(checked.error()));
  const bool trusted = is_trusted(changes);
  if (trusted) {
    if (auto checked = check_offers(transaction, changes, feed, applied); !checked)
      return fail(std::move(checked.error()));
    if (!applied.wanted.empty() || offers_.full() || !may_come_otherwise())
      ask_for(std::exchange(applied.open, {}), changes.ranges, applied);
    if (!applied.wanted.empty()) applied.held = changes.ranges;
  }
  const bool fold = (applied.wanted.empty() || shared_.options.mutation == Mutation::HeldRangeFolded) &&
                    (applied.open.empty() || shared_.options.mutation == Mutation::OpenOffersFolded);
  return folded(trusted && fold ? changes.ranges : std::vector<Range>());
}

Status Intake::fold_unread(const Changes& changes) {
  auto next = folded(changes.ranges);
  if (!next) return fail(std::move(next.error()));
  auto transaction = shared_.store.begin();
  if (!transaction) return fail(std::move(transaction.error()));
  if (auto saved = save(*transaction, *next); !saved) return saved;
  if (auto committed = transaction->commit(); !committed) return fail(std::move(committed.error()));
  return {};
}

Status Intake::merge_all(store::Transaction& transaction, Changes& changes, const Feed& feed, const GateOf& gate,
                         Applied& applied) {
  // Catching up may bring what others bring too; that says nothing about who is quicker.
  const bool live = caught_up() && shared_.greeted > 1;
  for (SentDocument& sent : changes.documents) {
    auto changed = merge(transaction, sent, feed, gate(sent.delta.collection), applied);
    if (!changed) return fail(std::move(changed.error()));
    applied.changed = applied.changed || *changed;
    if (*changed || !live) continue;
    if (auto noted = note_duplicate(transaction, sent.delta, applied); !noted) return noted;
  }
  return {};
}

Result<bool> Intake::merge(store::Transaction& transaction, SentDocument& sent, const Feed& feed, Gate gate,
                           Applied& applied) {
  crdt::Delta& delta = sent.delta;
  const auto life = transaction.life(delta.collection, delta.id);
  if (!life) return fail(life.error());
  if (crdt::kept_life(delta.life) > crdt::kept_life(*life)) {
    const auto admitted = admits(transaction, delta, gate, applied);
    if (!admitted) return fail(admitted.error());
    if (!*admitted) return true;
  }
  const Mutation mutation = shared_.options.mutation;
  // Our log may have told the remote long ago, and others have given the document to it since. A deletion that comes
  // whole may be the remote's answer to a name of ours: it has then forgotten a later one, or never had our life.
  if ((delta.life % 2 == 1 || delta.whole) && delta.life < *life && mutation != Mutation::DeadUntold) {
    applied.corrections.push_back({delta.collection, delta.id});
    return transaction.merge(std::move(delta), source_);
  }
  if (!sent.fingerprint) return transaction.merge(std::move(delta), source_);
  const auto before = transaction.load(delta.collection, delta.id);
  if (!before) return fail(before.error());
  auto changed = transaction.merge(std::move(delta), source_);
  if (!changed) return changed;
  const auto after = transaction.load(delta.collection, delta.id);
  if (!after) return fail(after.error());
  if (mutation == Mutation::FingerprintIgnored) return changed;
  if (after->fingerprint() != *sent.fingerprint &&
      feed.overlooks(delta.collection, delta.id, before->view(), after->view()))
    applied.corrections.push_back({delta.collection, delta.id});
  return changed;
}

Result<bool> Intake::admits(store::Transaction& transaction, const crdt::Delta& delta, Gate gate,
                            Applied& applied) const {
  const Mutation mutation = shared_.options.mutation;
  if (!delta.whole && mutation != Mutation::PartTakenForWhole) {
    applied.wanted.push_back({delta.collection, delta.id});
    return false;
  }
  if (delta.life % 2 == 0) return true;
  const auto known = transaction.has_known(delta);
  if (!known) return fail(known.error());
  const bool dead =
      (*known && mutation != Mutation::JudgeLeftOut) || (gate == Gate::Judges && mutation == Mutation::BuriedUnseen);
  if (dead) {
    applied.dead.push_back(delta);
    return false;
  }
  return gate != Gate::Judges || wants(delta);
}

bool Intake::wants(const crdt::Delta& delta) const {
  crdt::Document document;
  document.merge(delta, {});
  const Map view = document.view();
  return std::any_of(shared_.subscriptions.begin(), shared_.subscriptions.end(), [&](const auto& entry) {
    const query::Predicate& ours = entry.second.predicate;
    return ours.collection() == delta.collection && ours.matches(delta.id, view);
  });
}

// The remote is told, since it believes them alive.
Status Intake::bury(Applied& applied) {
  auto transaction = shared_.store.begin();
  if (!transaction) return fail(std::move(transaction.error()));
  for (const crdt::Delta& delta : applied.dead) {
    if (auto buried = transaction->bury(delta); !buried) return buried;
    if (!shared_.has(Mutation::DeadUntold)) applied.corrections.push_back({delta.collection, delta.id});
  }
  if (auto committed = transaction->commit(); !committed) return fail(std::move(committed.error()));
  given_up_ += applied.dead.size();
  shared_.given_up += applied.dead.size();
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

// A few at a time, in turns, so that a frame costs the same whatever the number of subscriptions.
Status Intake::save(store::Transaction& transaction, const Folded& folded) {
  storing_.clear();
  auto next = folded.upper_bound(last_stored_);
  for (std::size_t left = folded.size(); left > 0 && storing_.size() < shared_.options.cursors_per_frame; --left) {
    if (next == folded.end()) next = folded.begin();
    const auto& [key, progress] = *next++;
    if (auto saved = save(transaction, key, incoming_.at(key), progress.position()); !saved) return saved;
    storing_.push_back(last_stored_ = key);
  }
  return {};
}

void Intake::adopt(Folded folded) {
  auto& known = shared_.cursors[remote_epoch_];
  for (auto& [key, progress] : folded) {
    std::uint64_t& reached = known[key].reached;
    reached = std::max(reached, progress.position().seq);
    incoming_.at(key).progress = std::move(progress);
  }
  for (const std::uint64_t key : storing_) stored(key);
}

void Intake::stored(std::uint64_t key) {
  Incoming& incoming = incoming_.at(key);
  shared_.cursors[remote_epoch_][key].stored = incoming.progress.position();
  incoming.saved_confirmed = incoming.confirmed;
}

Status Intake::save(store::Transaction& transaction, std::uint64_t key, const Incoming& incoming, Position now) {
  const auto put = [&](Kept what, std::uint64_t value) {
    return transaction.save_cursor({remote_epoch_, stored_key(predicate(key).key(), what), value});
  };
  // Both numbers are one session's, or nobody knows what the database has.
  const KnownCursor* known = known_cursor(key);
  if (known == nullptr || known->stored.seq != now.seq) {
    if (auto done = put(Kept::Seq, now.seq); !done) return done;
  }
  if (known == nullptr || stored_base(known->stored) != stored_base(now)) {
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
  std::map<std::string_view, std::optional<std::uint64_t>> settled;  // by collection, looked up once
  for (auto& [key, incoming] : incoming_) {
    const query::Predicate& ours = predicate(key);
    if (ours.matches_everything()) continue;
    const auto [found, fresh] = settled.try_emplace(ours.collection());
    if (fresh) found->second = feed.settled(ours.collection());
    incoming.confirmed = std::max(incoming.confirmed, found->second.value_or(0));
  }
}

bool Intake::is_stale(std::uint64_t key, const Incoming& incoming) const {
  if (incoming.confirmed != incoming.saved_confirmed && !predicate(key).matches_everything()) return true;
  const KnownCursor* known = known_cursor(key);
  return known == nullptr || known->stored != incoming.progress.position();
}

void Intake::save_cursors() {
  if (remote_epoch_.empty()) return;
  std::vector<std::uint64_t> stale;
  for (const auto& [key, incoming] : incoming_) {
    if (is_stale(key, incoming)) stale.push_back(key);
  }
  save_stale(stale);
}

// What is not stored is only sent again.
void Intake::save_stale(const std::vector<std::uint64_t>& stale) {
  if (stale.empty()) return;
  auto transaction = shared_.store.begin();
  if (!transaction) return;
  for (const std::uint64_t key : stale) {
    const Incoming& incoming = incoming_.at(key);
    if (auto saved = save(*transaction, key, incoming, incoming.progress.position()); !saved) return;
  }
  if (!transaction->commit()) return;
  for (const std::uint64_t key : stale) stored(key);
}

}  // namespace fermata::sync
