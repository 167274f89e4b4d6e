#include "sync/intake.hpp"

#include <algorithm>

#include "crdt/digest.hpp"

namespace fermata::sync {

const query::Predicate& Intake::predicate(std::uint64_t key) const {
  return shared_.subscriptions.at(key).predicate;
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
  if (changes.again) enter_level(*changes.again);
  if (!applied.open.empty()) offers_.hold(changes.ranges, applied.open, now + shared_.options.graft_after);
  if (is_trusted(changes)) remote_head(changes.head);
  return applied;
}

// A first flight may have been meant for a store that we no longer are: its data is good, its promises are not.
bool Intake::is_trusted(const Changes& changes) const {
  return changes.assumed_epoch.empty() || changes.assumed_epoch == our_epoch_;
}

Result<Intake::Folded> Intake::conclude(store::Transaction& transaction, Changes& changes, const Feed& feed,
                                        Applied& applied) {
  if (auto checked = check_names(transaction, changes, applied); !checked) return fail(std::move(checked.error()));
  const bool trusted = is_trusted(changes);
  if (trusted) {
    if (auto checked = check_offers(transaction, changes, feed, applied); !checked)
      return fail(std::move(checked.error()));
    // What we ask for, and what comes another way, will be about the ranges once more.
    if (!applied.wanted.empty() || !applied.open.empty()) changes.spell_out();
    if (!applied.wanted.empty() || offers_.full() || !may_come_otherwise())
      ask_for(std::exchange(applied.open, {}), changes.ranges, applied);
    if (!applied.wanted.empty()) applied.held = changes.ranges;
  }
  const bool fold = (applied.wanted.empty() || shared_.options.mutation == Mutation::HeldRangeFolded) &&
                    (applied.open.empty() || shared_.options.mutation == Mutation::OpenOffersFolded);
  if (!trusted || !fold) return Folded();
  return folded(changes);
}

Status Intake::fold_unread(const Changes& changes) {
  auto next = folded(changes);
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

}  // namespace fermata::sync
