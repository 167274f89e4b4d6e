// Which documents go to the remote, and how much of each: the rules of docs/PROTOCOL.md, "Who is sent what".
#include <algorithm>
#include <limits>

#include "crdt/digest.hpp"
#include "sync/feed.hpp"

namespace fermata::sync {
namespace {

constexpr std::size_t kDocumentsPerRead = 256;
constexpr int kReadsPerTurn = 4;  // of the log; then others get their turn
constexpr std::size_t kAnswersPerTurn = kDocumentsPerRead * kReadsPerTurn;
constexpr std::size_t kMaxAhead = 1024;

[[maybe_unused]] bool has_register_of(const crdt::Document& document, std::uint32_t source) {
  return std::any_of(document.registers().begin(), document.registers().end(),
                     [&](const crdt::Register& each) { return each.mark.source == source; });
}

}  // namespace

// Everything since `since`, without what came from the remote itself; nothing if nothing is left. Only an offer of it
// if that is enough for the subscriptions that it goes to.
void Feed::give(const DocumentName& name, const crdt::Document& document, std::uint64_t since,
                const std::vector<std::uint64_t>& subscriptions) {
  if (shared_.options.mutation == Mutation::EchoDropsDocument && since == 0 && has_register_of(document, source_))
    return;
  auto delta = document.delta_since(since, source_);
  if (!delta) return;
  if (document.alive()) {
    std::vector<crdt::ActorId> authors = authors_of(*delta);
    if (authors.size() <= kMaxAuthorsPerOffer && only_offered(subscriptions, authors)) {
      if (shared_.options.mutation == Mutation::LazySendsNothing) return;
      const std::uint64_t version = crdt::version_of(name.collection, name.id, document);
      return writer_.offer({name.collection, name.id, version, std::move(authors)});
    }
  }
  write(name, document, std::move(*delta));
}

// Everything, also what came from the remote itself: it may have lost it.
void Feed::give_all(const DocumentName& name, const crdt::Document& document) {
  if (auto delta = document.delta_since(0, 0)) write(name, document, std::move(*delta));
}

void Feed::write(const DocumentName& name, const crdt::Document& document, crdt::Delta delta) {
  delta.collection = name.collection;
  delta.id = name.id;
  const auto fingerprint = shared_.filters(name.collection) ? std::optional(document.fingerprint()) : std::nullopt;
  if (writer_.add(delta, fingerprint)) return;
  std::vector<crdt::Delta> all = parts_of(std::move(delta));
  parts_ = {{std::make_move_iterator(all.begin()), std::make_move_iterator(all.end())}, fingerprint, {}};
  send_parts();
}

bool Feed::only_offered(const std::vector<std::uint64_t>& subscriptions, const std::vector<crdt::ActorId>& authors) {
  return !subscriptions.empty() &&
         std::all_of(subscriptions.begin(), subscriptions.end(), [&](std::uint64_t subscription) {
           return place_of(subscription)->brought || spread_.lazy({subscription}, authors);
         });
}

// --- live ---

Feed::Group Feed::live_at(std::uint64_t first_seq) {
  Group live;
  for (RemoteSubscription& subscription : subscriptions_) {
    const Course& course = subscription.course;
    if (going(subscription) && course.complete() && course.position.seq + 1 >= first_seq) live.push_back(&subscription);
  }
  return live;
}

Feed::Due Feed::due_of(const LoadedCommit& commit, std::size_t index) {
  const std::uint64_t first_seq = commit.event().first_local_seq;
  const store::DocumentChange& change = commit.event().changes[index];
  Due due;
  for (const SubscriptionIndex::Holder& holder : commit.candidates(index, outlet_.link)) {
    const auto found = place_of(holder.subscription);
    if (found == subscriptions_.end() || found->id != holder.subscription) continue;
    const Course& course = course_of(*found);
    const std::uint64_t seq = course.position.seq;
    const bool live = going(*found) && course.complete() && seq + 1 >= first_seq && seq < change.local_seq;
    if (!live) continue;
    const query::Predicate& predicate = found->predicate;
    // What matched before is known to the remote up to this change.
    const bool before = change.existed_before && shared_.options.mutation != Mutation::BeforeMatchIgnored &&
                        predicate.matches(change.id, change.before);
    const bool known = before || predicate.matches_everything();
    if (!known && !predicate.matches(change.id, change.after)) continue;
    due.subscriptions.push_back(found->id);
    due.share = std::max(due.share, known ? Share::Registers : Share::Whole);
    due.known = due.known || known;
  }
  return due;
}

// The document may have moved on since this commit, and its later changes went out with an earlier one.
bool Feed::sent_before(const store::DocumentChange& change, const crdt::Document& document, Share share) {
  const DocumentName name{change.collection, change.id};
  const auto ahead = ahead_.find(name);
  const bool sent = ahead != ahead_.end() && ahead->second >= change.local_seq && share == Share::Registers;
  const std::uint64_t latest = latest_change(document);
  if (latest > change.local_seq) {
    // Forgetting costs a duplicate.
    if (ahead_.size() >= kMaxAhead) ahead_.clear();
    ahead_[name] = latest;
  } else if (ahead != ahead_.end()) {
    ahead_.erase(ahead);
  }
  return sent;
}

Status Feed::push_one(LoadedCommit& commit, std::size_t index) {
  const store::CommitEvent& event = commit.event();
  const store::DocumentChange& change = event.changes[index];
  // Of what the remote itself sent, only documents that it lacks otherwise can be of use to it.
  const bool is_theirs = event.source != 0 && event.source == source_;
  const Due due = due_of(commit, index);
  if (due.share == Share::Nothing || (is_theirs && due.known)) return {};
  auto document = commit.document(index);
  if (!document) return fail(std::move(document.error()));
  if (sent_before(change, **document, due.share)) return {};
  auto version = commit.version(index);
  if (!version) return fail(std::move(version.error()));
  if (remote_holds_.contains(*version)) return {};
  give({change.collection, change.id}, **document, due.share == Share::Whole ? 0 : change.local_seq - 1,
       due.subscriptions);
  return {};
}

Status Feed::push(LoadedCommit& commit) {
  const store::CommitEvent& event = commit.event();
  if (!parts_.left.empty()) {
    leave_level();
    return {};
  }
  if (!level_reaches(event.first_local_seq - 1)) leave_level();
  if (level_ && !commit.concerns(outlet_.link)) {
    raise_level(event.first_local_seq + event.changes.size() - 1);
    if (announcement_due()) flush();
    return {};
  }
  Group live = level_ ? Group() : live_at(event.first_local_seq);
  if (!level_ && live.empty()) return {};
  for (std::size_t i = 0; i < event.changes.size(); ++i) {
    const bool open = window_open();
    if (!open && !shared_.has(Mutation::ClosedWindowSkips)) break;
    if (auto pushed = open ? push_one(commit, i) : Status(); !pushed) return pushed;
    const std::uint64_t reached = event.changes[i].local_seq;
    if (!parts_.left.empty()) leave_level();
    // A frame that could not speak for all at once has left the level too.
    if (!level_ && live.empty()) live = live_at(reached);
    if (!parts_.left.empty()) {
      await_parts(live, reached - 1, reached, true);
      break;
    }
    if (level_) raise_level(reached);
    for (RemoteSubscription* subscription : live) {
      if (subscription->course.position.seq < reached) subscription->course.position = {reached, reached};
    }
    if (writer_.full(shared_.options.batch_bytes)) flush();
  }
  if (!writer_.empty() || announcement_due()) flush();
  return {};
}

// --- behind ---

Status Feed::pump() {
  interrupted_ = false;
  if (!parts_gone()) return {};
  if (auto answered = answer_requests(); !answered || interrupted_ || !parts_.left.empty()) return answered;
  if (level_reaches(shared_.head)) {
    if (announcement_due() && window_open()) flush();
    return {};
  }
  leave_level();
  for (int reads = 0; window_open() && parts_.left.empty(); ++reads) {
    const Group group = furthest_behind();
    if (group.empty()) break;
    interrupted_ = reads == kReadsPerTurn;
    if (interrupted_) return {};
    if (auto walked = walk(group); !walked) return walked;
  }
  if (announcement_due() && window_open()) flush();
  enter_level();
  return {};
}

Status Feed::answer_requests() {
  std::size_t turn = kAnswersPerTurn;
  while (!requests_.empty() && window_open()) {
    Request& request = requests_.front();
    if (auto answered = answer_some(request, turn); !answered) return answered;
    if (!parts_gone()) return {};
    if (!request.names.empty() || !request.rows.empty()) {
      flush();
      interrupted_ = turn == 0;
      if (interrupted_) return {};
      continue;
    }
    const Request done = std::move(request);
    requests_.pop_front();
    requested_ranges_ -= done.ranges.size();
    if (done.kind == Request::Kind::Correction) --corrections_;
    if (done.kind == Request::Kind::Graves) --graves_;
    flush(done.ranges, done.kind == Request::Kind::Want ? 1 : 0);
    if (!done.closing.empty()) outlet_.send(done.closing);
  }
  return {};
}

// What is not here takes no room in a frame, so each look counts.
Status Feed::answer_some(Request& request, std::size_t& turn) {
  const auto may_go_on = [&] { return turn != 0 && parts_.left.empty() && !writer_.full(shared_.options.batch_bytes); };
  for (; !request.rows.empty() && may_go_on(); request.rows.pop_front(), --turn) {
    --requested_names_;
    auto found = shared_.store.document_in(request.rows.front());
    if (!found) return fail(std::move(found.error()));
    if (*found) give_all({(*found)->collection, (*found)->id}, (*found)->document);
  }
  for (; !request.names.empty() && may_go_on(); request.names.pop_front(), --turn) {
    --requested_names_;
    const DocumentName& name = request.names.front();
    auto document = shared_.store.load(name.collection, name.id);
    if (!document) return fail(std::move(document.error()));
    if (request.names.size() == 1 && shared_.has(Mutation::WantAnsweredPartly)) continue;
    if (document->exists()) give_all(name, *document);
  }
  return {};
}

// The subscriptions at the lowest position among those that have something to catch up with. They walk together until
// they meet the next, so that a document which several of them want is sent once.
Feed::Group Feed::furthest_behind() {
  Group group;
  for (RemoteSubscription& subscription : subscriptions_) {
    if (!going(subscription)) continue;
    const Course& course = subscription.course;
    if (course.complete() && course.position.seq >= shared_.head) {
      subscription.brought = false;
      continue;
    }
    if (!group.empty() && group.front()->course.position.seq < course.position.seq) continue;
    if (!group.empty() && group.front()->course.position.seq > course.position.seq) group.clear();
    group.push_back(&subscription);
  }
  return group;
}

std::uint64_t Feed::next_position_after(std::uint64_t seq) const {
  std::uint64_t next = std::numeric_limits<std::uint64_t>::max();
  for (const RemoteSubscription& subscription : subscriptions_) {
    const std::uint64_t position = subscription.course.position.seq;
    if (position > seq) next = std::min(next, position);
  }
  return next;
}

Status Feed::walk(const Group& group) {
  const std::uint64_t from = group.front()->course.position.seq;
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
    if (!parts_.left.empty()) {
      await_parts(group, to, changed.local_seq, false);
      break;
    }
    to = changed.local_seq;
    if (writer_.full(shared_.options.batch_bytes)) break;
  }
  // Of the snapshot that the documents are from: any other head may be older, and vouch for what we have not looked at.
  const bool complete = to >= changes->head || shared_.options.mutation == Mutation::BaseIgnored;
  for (RemoteSubscription* subscription : group) {
    subscription->course.position.seq = to;
    if (complete) subscription->course.position.base = to;
    if (complete) subscription->brought = false;
  }
  flush();
  return {};
}

void Feed::walk_document(const Group& group, const store::ChangedDocument& changed) {
  std::optional<std::uint64_t> since;  // of subscriptions that want all: what they have in full
  std::optional<std::uint64_t> known;  // of those that want some
  std::vector<std::uint64_t> wanting;
  bool matches = false;
  bool whole = false;
  for (const RemoteSubscription* subscription : group) {
    const query::Predicate& predicate = subscription->predicate;
    if (predicate.collection() != changed.collection) continue;
    const std::uint64_t base = subscription->course.position.base;
    if (predicate.matches_everything()) {
      since = std::min(since.value_or(base), base);
    } else {
      known = std::min(known.value_or(base), base);
      if (!predicate.matches(changed.id, changed.document.view())) continue;
      matches = true;
    }
    wanting.push_back(subscription->id);
    whole = whole || subscription->whole_until >= changed.local_seq;
  }
  const DocumentName name{changed.collection, changed.id};
  // An offer is of the whole document in any case.
  if (whole && !only_offered(wanting, authors_of(*changed.document.delta_since(0, 0))))
    return give_all(name, changed.document);
  if (since) return give(name, changed.document, *since, wanting);
  if (!known) return;
  if (matches) return give(name, changed.document, 0, wanting);
  // We cannot know whether it matched where the remote's cursor stands; whoever holds it will ask.
  if (shared_.has(Mutation::NamesNotSent)) return;
  if (changed.document.delta_since(*known, source_)) writer_.name(name);
}

}  // namespace fermata::sync
