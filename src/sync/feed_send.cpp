// Which documents go to the remote, and how much of each: the rules of docs/PROTOCOL.md, "Who is sent what".
#include <algorithm>
#include <limits>

#include "sync/feed.hpp"

namespace fermata::sync {
namespace {

constexpr std::size_t kDocumentsPerRead = 256;

[[maybe_unused]] bool has_register_of(const crdt::Document& document, std::uint32_t source) {
  return std::any_of(document.registers().begin(), document.registers().end(),
                     [&](const crdt::Register& each) { return each.mark.source == source; });
}

}  // namespace

// Everything since `since`, without what came from the remote itself; nothing if nothing is left.
void Feed::offer(const std::string& collection, const std::string& id, const crdt::Document& document,
                 std::uint64_t since) {
  if (shared_.options.mutation == Mutation::EchoDropsDocument && since == 0 && has_register_of(document, source_))
    return;
  auto delta = document.delta_since(since, source_);
  if (!delta) return;
  delta->collection = collection;
  delta->id = id;
  // Passed over: a frame that the transport refuses would end this link and every later one at the same place.
  if (!writer_.add(*delta, shared_.filters(collection) ? std::optional(document.fingerprint()) : std::nullopt))
    ++documents_too_large_;
}

// --- live ---

Feed::Group Feed::live_at(std::uint64_t first_seq) {
  Group live;
  for (RemoteSubscription& subscription : subscriptions_) {
    if (subscription.complete() && subscription.position.seq + 1 >= first_seq) live.push_back(&subscription);
  }
  return live;
}

Feed::Share Feed::share_of(const Group& live, const store::DocumentChange& change) const {
  Share share = Share::Nothing;
  for (const RemoteSubscription* subscription : live) {
    const query::Predicate& predicate = subscription->predicate;
    if (subscription->position.seq >= change.local_seq || predicate.collection() != change.collection) continue;
    // What matched before is known to the remote up to this change.
    const bool before = change.existed_before && shared_.options.mutation != Mutation::BeforeMatchIgnored &&
                        predicate.matches(change.id, change.before);
    if (before || predicate.matches_everything()) return Share::Registers;
    if (predicate.matches(change.id, change.after)) share = Share::Whole;
  }
  return share;
}

Status Feed::push(LoadedCommit& commit) {
  const store::CommitEvent& event = commit.event();
  const Group live = live_at(event.first_local_seq);
  if (live.empty()) return {};
  // Of what the remote itself sent, only documents that it lacks otherwise can be of use to it.
  const Share least = event.source != 0 && event.source == source_ ? Share::Whole : Share::Registers;
  for (std::size_t i = 0; i < event.changes.size() && window_open(); ++i) {
    const store::DocumentChange& change = event.changes[i];
    if (const Share share = share_of(live, change); share >= least) {
      auto document = commit.document(i);
      if (!document) return fail(std::move(document.error()));
      offer(change.collection, change.id, **document, share == Share::Whole ? 0 : change.local_seq - 1);
    }
    for (RemoteSubscription* subscription : live) {
      if (subscription->position.seq < change.local_seq) subscription->position = {change.local_seq, change.local_seq};
    }
    if (writer_.full(shared_.options.batch_bytes)) flush();
  }
  if (!writer_.empty() || announcement_due()) flush();
  return {};
}

// --- behind ---

Status Feed::pump() {
  if (auto answered = answer_requests(); !answered) return answered;
  while (window_open()) {
    const Group group = furthest_behind();
    if (group.empty()) break;
    if (auto walked = walk(group); !walked) return walked;
  }
  if (announcement_due() && window_open()) flush();
  return {};
}

Status Feed::answer_requests() {
  while (!requests_.empty() && window_open()) {
    Request& request = requests_.front();
    while (!request.names.empty() && !writer_.full(shared_.options.batch_bytes)) {
      const DocumentName name = std::move(request.names.front());
      request.names.pop_front();
      --requested_names_;
      auto document = shared_.store.load(name.collection, name.id);
      if (!document) return fail(std::move(document.error()));
      if (document->exists()) offer(name.collection, name.id, *document, 0);
    }
    const bool done = request.names.empty();
    std::vector<Range> ranges = done ? std::move(request.ranges) : std::vector<Range>();
    const std::size_t answers = done && !request.is_correction ? 1 : 0;
    if (done && request.is_correction) --corrections_;
    if (done) requests_.pop_front();
    flush(std::move(ranges), answers);
  }
  return {};
}

// The subscriptions at the lowest position among those that have something to catch up with. They walk together until
// they meet the next, so that a document which several of them want is sent once.
Feed::Group Feed::furthest_behind() {
  Group group;
  for (RemoteSubscription& subscription : subscriptions_) {
    if (subscription.complete() && subscription.position.seq >= shared_.head) continue;
    if (!group.empty() && group.front()->position.seq < subscription.position.seq) continue;
    if (!group.empty() && group.front()->position.seq > subscription.position.seq) group.clear();
    group.push_back(&subscription);
  }
  return group;
}

std::uint64_t Feed::next_position_after(std::uint64_t seq) const {
  std::uint64_t next = std::numeric_limits<std::uint64_t>::max();
  for (const RemoteSubscription& subscription : subscriptions_) {
    if (subscription.position.seq > seq) next = std::min(next, subscription.position.seq);
  }
  return next;
}

Status Feed::walk(const Group& group) {
  const std::uint64_t from = group.front()->position.seq;
  const std::uint64_t limit = next_position_after(from);
  auto changes = shared_.store.changes_since(from, kDocumentsPerRead, shared_.options.batch_bytes);
  if (!changes) return fail(std::move(changes.error()));
  std::uint64_t to = changes->documents.empty() ? std::max(from, changes->head) : from;
  for (const store::ChangedDocument& changed : changes->documents) {
    if (changed.local_seq > limit) {
      to = limit;
      break;
    }
    walk_document(group, changed);
    to = changed.local_seq;
    if (writer_.full(shared_.options.batch_bytes)) break;
  }
  // Of the snapshot that the documents are from: any other head may be older, and vouch for what we have not looked at.
  const bool complete = to >= changes->head || shared_.options.mutation == Mutation::BaseIgnored;
  for (RemoteSubscription* subscription : group) {
    subscription->position.seq = to;
    if (complete) subscription->position.base = to;
  }
  flush();
  return {};
}

void Feed::walk_document(const Group& group, const store::ChangedDocument& changed) {
  std::optional<std::uint64_t> since;  // of subscriptions that want all: what they have in full
  std::optional<std::uint64_t> known;  // of those that want some
  bool matches = false;
  for (const RemoteSubscription* subscription : group) {
    const query::Predicate& predicate = subscription->predicate;
    if (predicate.collection() != changed.collection) continue;
    const std::uint64_t base = subscription->position.base;
    if (predicate.matches_everything()) {
      since = std::min(since.value_or(base), base);
    } else {
      known = std::min(known.value_or(base), base);
      matches = matches || predicate.matches(changed.id, changed.document.view());
    }
  }
  if (since) return offer(changed.collection, changed.id, changed.document, *since);
  if (!known) return;
  if (matches) return offer(changed.collection, changed.id, changed.document, 0);
  // We cannot know whether it matched where the remote's cursor stands; whoever holds it will ask.
  if (changed.document.delta_since(*known, source_)) writer_.name({changed.collection, changed.id});
}

}  // namespace fermata::sync
