// What is offered instead of sent: whether it has come, what to ask for, what came twice.
#include <algorithm>

#include "crdt/digest.hpp"
#include "sync/intake.hpp"

namespace fermata::sync {
namespace {

// A walker's word counts for so long that whoever offers something else is not given up.
constexpr int kWaitsUntilStalled = 8;

// Beyond the limit some are left as they are, which costs a duplicate or a delay.
bool is_full(const std::set<Branch>& branches) {
  return branches.size() >= kMaxBranchesPerFrame;
}

}  // namespace

// For which of our subscriptions the remote need not have sent this.
Status Intake::note_duplicate(store::Transaction& transaction, const crdt::Delta& delta, Applied& applied) {
  if (is_full(applied.prune)) return {};
  const std::vector<crdt::ActorId> authors = authors_of(delta);
  if (authors.empty() || authors.size() > kMaxAuthorsPerOffer) return {};
  const auto document = transaction.load(delta.collection, delta.id);
  if (!document) return fail(document.error());
  const Map view = document->view();
  for (const auto& [key, incoming] : incoming_) {
    const query::Predicate& ours = predicate(key);
    if (ours.collection() != delta.collection || !ours.matches(delta.id, view)) continue;
    for (crdt::ActorId author : authors) {
      if (!is_full(applied.prune)) applied.prune.insert({key, author});
    }
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
  if (!passed) return shared_.has(Mutation::OfferOfOtherState) && document->exists();
  const Map view = document->view();
  if (asks && feed.overlooks(offer.collection, offer.id, view, view))
    applied.corrections.push_back({offer.collection, offer.id});
  return true;
}

// The frame's ranges tell which of our subscriptions are fed by this link. Subscriptions and authors are joined by
// collection, because a frame's ranges times its offers are too many to look at.
void Intake::graft(const std::vector<Offer>& offers, const std::vector<Range>& ranges, Applied& applied) const {
  std::map<std::string_view, std::set<std::uint64_t>> fed;
  for (const Range& range : ranges) {
    const auto ours = shared_.subscriptions.find(range.subscription);
    if (ours != shared_.subscriptions.end()) fed[ours->second.predicate.collection()].insert(range.subscription);
  }
  std::map<std::string_view, std::set<crdt::ActorId>> written;
  for (const Offer& offer : offers) {
    if (fed.contains(offer.collection)) written[offer.collection].insert(offer.authors.begin(), offer.authors.end());
  }
  for (const auto& [collection, authors] : written) {
    for (std::uint64_t subscription : fed.at(collection)) {
      for (crdt::ActorId author : authors) {
        if (is_full(applied.graft)) return;
        applied.graft.insert({subscription, author});
      }
    }
  }
}

void Intake::ask_for(std::vector<Offer> offers, const std::vector<Range>& ranges, Applied& applied) const {
  graft(offers, ranges, applied);
  for (Offer& offer : offers) applied.wanted.push_back({std::move(offer.collection), std::move(offer.id)});
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

// As long as another link brings what we lack, what is offered may still come over it; but who offers waits for a word.
std::optional<Instant> Intake::deadline() const {
  const auto due = offers_.deadline();
  if (!due || !brought_ || shared_.walkers.empty()) return due;
  return std::clamp(shared_.walked + shared_.options.graft_after, *due,
                    *due + shared_.options.stalled_after / kWaitsUntilStalled);
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

}  // namespace fermata::sync
