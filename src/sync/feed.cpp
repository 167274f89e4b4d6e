#include "sync/feed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace fermata::sync {
namespace {

// How many commits of no interest a remote's cursor may lag behind before an empty range lets it catch up.
constexpr std::uint64_t kSilentCommits = 256;

Position rewound(Position position, std::optional<std::uint64_t> confirmed) {
  if (confirmed) position.seq = std::min(position.seq, *confirmed);
  position.base = std::min(position.base, position.seq);
  return position;
}

Course course_from(Position start) {
  return {start, start, start, start.seq, start.seq, 0};
}

// A cursor beyond our log can only be about another log; like one of another epoch, it tells nothing.
bool is_ours(const Wanted& wanted, const store::Epoch& our_epoch, const Shared& shared) {
  const bool same = wanted.epoch == our_epoch || shared.has(Mutation::EpochIgnored);
  return same && wanted.position.seq <= shared.store.last_local_seq();
}

}  // namespace

void Feed::set_remote(std::uint32_t source, store::Epoch assumed) {
  source_ = source;
  assumed_epoch_ = std::move(assumed);
}

Status Feed::insert(RemoteSubscription subscription) {
  leave_level();
  drop(subscription.id);
  if (subscriptions_.size() >= shared_.options.max_subscriptions)
    return fail(ErrorCode::LimitExceeded,
                fmt::format("the peer has more than {} subscriptions", shared_.options.max_subscriptions));
  shared_.index.add({outlet_.link, subscription.id}, subscription.predicate);
  shared_.digests.add_user(subscription.predicate);
  const auto place = place_of(subscription.id);
  subscriptions_.insert(place, std::move(subscription));
  return {};
}

Feed::~Feed() {
  drop_all();
}

std::vector<RemoteSubscription>::iterator Feed::place_of(std::uint64_t id) {
  return std::lower_bound(subscriptions_.begin(), subscriptions_.end(), id,
                          [](const RemoteSubscription& each, std::uint64_t wanted) { return each.id < wanted; });
}

bool Feed::drop(std::uint64_t id) {
  const auto found = place_of(id);
  if (found == subscriptions_.end() || found->id != id) return false;
  leave_level();
  shared_.index.remove({outlet_.link, id}, found->predicate);
  shared_.digests.remove_user(found->predicate);
  spread_.forget(id);
  subscriptions_.erase(found);
  return true;
}

std::vector<RemoteSubscription> Feed::drop_all() {
  leave_level();
  for (const RemoteSubscription& each : subscriptions_) {
    shared_.index.remove({outlet_.link, each.id}, each.predicate);
    shared_.digests.remove_user(each.predicate);
  }
  return std::exchange(subscriptions_, {});
}

const std::vector<RemoteSubscription>& Feed::subscriptions() {
  leave_level();
  return subscriptions_;
}

Status Feed::add(const Wanted& wanted, const store::Epoch& our_epoch, const Confirmed& confirmed) {
  auto predicate = query::Predicate::parse(wanted.query, {});
  if (!predicate)
    return fail(ErrorCode::Protocol,
                fmt::format("the peer's subscription makes no sense: {}", predicate.error().message));
  const bool ours = is_ours(wanted, our_epoch, shared_);
  const Position start =
      rewound(ours ? wanted.position : Position{}, ours ? confirmed(predicate->collection()) : std::nullopt);
  RemoteSubscription fresh{wanted.id, std::move(*predicate), start, course_from(start)};
  fresh.standing = standing_of(wanted, fresh.predicate.collection(), ours);
  // Without a cursor it may have given up what it once sent us, be it a moment ago.
  if (start == Position{} && shared_.options.mutation != Mutation::EchoOfOldSessions)
    fresh.whole_until = shared_.store.last_local_seq();
  return take(std::move(fresh), wanted);
}

Status Feed::take(RemoteSubscription subscription, const Wanted& wanted) {
  subscription.brought = wanted.brought;
  // What is purged there is not used again here.
  if (wanted.purged_life != 0) {
    const std::string& collection = subscription.predicate.collection();
    if (auto raised = shared_.store.raise_purged_life(collection, wanted.purged_life); !raised) return raised;
  }
  return insert(std::move(subscription));
}

Status Feed::assume(const RemoteSubscription& earlier, const Confirmed& confirmed) {
  const Position acked = earlier.course.acked;
  if (earlier.standing != Standing::Going || acked.base < shared_.store.purged_seq()) return {};
  // Who had nothing may have less by now than it sent us.
  if (acked == Position{}) return {};
  const Position start = rewound(acked, confirmed(earlier.predicate.collection()));
  return insert({earlier.id, earlier.predicate, start, course_from(start)});
}

Status Feed::replace(const std::vector<Wanted>& wanted, const store::Epoch& our_epoch, const Confirmed& confirmed,
                     const store::Epoch& remote_epoch) {
  const bool assumed_rightly = remote_epoch == assumed_epoch_;
  assumed_epoch_.clear();
  std::vector<RemoteSubscription> assumed = drop_all();
  for (const Wanted& each : wanted) {
    const auto earlier = std::find_if(assumed.begin(), assumed.end(), [&](const RemoteSubscription& subscription) {
      return subscription.id == each.id && subscription.predicate.text() == each.query &&
             subscription.start.seq <= each.position.seq && subscription.start.base <= each.position.base;
    });
    const bool keep = assumed_rightly && is_ours(each, our_epoch, shared_) && earlier != assumed.end() &&
                      each.position.base >= shared_.store.purged_seq();
    if (auto added = keep ? take(*earlier, each) : add(each, our_epoch, confirmed); !added) return added;
  }
  return {};
}

Status Feed::remove(std::uint64_t id) {
  if (!drop(id)) return fail(ErrorCode::Protocol, "the peer ended a subscription that it does not have");
  shared_.digests.free_unused();
  return {};
}

void Feed::rewind(std::string_view collection, std::uint64_t seq) {
  leave_level();
  std::map<std::uint64_t, std::uint64_t> again_from;
  for (RemoteSubscription& subscription : subscriptions_) {
    if (subscription.predicate.collection() != collection) continue;
    Course& course = subscription.course;
    course.position = rewound(course.position, seq);
    course.announced = rewound(course.announced, seq);
    again_from.emplace(subscription.id, seq);
  }
  begin_again(again_from);
}

void Feed::prune(const Prune& prune) {
  for (const Branch& branch : prune.branches) {
    const auto found = place_of(branch.subscription);
    if (found != subscriptions_.end() && found->id == branch.subscription) spread_.prune(branch);
  }
}

void Feed::graft(const Graft& graft) {
  for (const Branch& branch : graft.branches) spread_.graft(branch);
}

Status Feed::want(Want want) {
  ++unanswered_wants_;
  return enqueue({Request::Kind::Want, {want.names.begin(), want.names.end()}, std::move(want.ranges), {}, {}});
}

Status Feed::correct(std::vector<DocumentName> names) {
  if (names.empty() || shared_.has(Mutation::CorrectionsForgotten)) return {};
  ++corrections_;
  return enqueue({Request::Kind::Correction, {names.begin(), names.end()}, {}, {}, {}});
}

Status Feed::enqueue(Request request) {
  requested_names_ += request.names.size() + request.rows.size();
  requested_ranges_ += request.ranges.size();
  requests_.push_back(std::move(request));
  if (requested_names_ > kMaxRequestedNames || requests_.size() > kMaxRequests ||
      requested_ranges_ > kMaxRequestedRanges)
    return fail(ErrorCode::LimitExceeded, "the peer asks for more documents than it takes in");
  return {};
}

Status Feed::acknowledge(const Ack& ack) {
  if (ack.frames < acked_frames_ || ack.frames - acked_frames_ > in_flight_.size())
    return fail(ErrorCode::Protocol, "the peer acknowledged frames that were not sent");
  if (acked_frames_ < ack.frames) waiting_since_ = shared_.now;
  for (; acked_frames_ < ack.frames; ++acked_frames_) {
    delivered(in_flight_.front());
    in_flight_.pop_front();
  }
  if (ack.level) {
    const Position all{*ack.level, *ack.level};
    if (level_) {
      note_cursor(level_->course, all);
    } else {
      for (RemoteSubscription& each : subscriptions_) note_cursor(each.course, all);
    }
  }
  if (!ack.cursors.empty()) leave_level();
  for (const auto& [id, position] : ack.cursors) {
    const auto found = place_of(id);
    if (found == subscriptions_.end() || found->id != id)
      return fail(ErrorCode::Protocol, "the peer acknowledged a subscription that it does not have");
    note_cursor(found->course, position);
  }
  return {};
}

// A WANT comes before the ACK of the frame it is about. Until its answer has arrived, the remote has not seen all of
// what it would correct.
void Feed::note_cursor(Course& course, Position cursor) const {
  course.acked = cursor;
  if (unanswered_wants_ == 0 || shared_.has(Mutation::SettledTooEarly))
    course.settled = std::max(course.settled, std::min(course.delivered, cursor.seq));
}

void Feed::delivered(const Sent& sent) {
  unacked_bytes_ -= sent.bytes;
  unacked_offers_ -= sent.offers;
  unanswered_wants_ -= sent.answers;
  if (sent.common) return delivered(*sent.common);
  if (!sent.ranges.empty()) leave_level();
  for (const Range& range : sent.ranges) {
    const auto found = place_of(range.subscription);
    if (found != subscriptions_.end() && found->id == range.subscription)
      found->course.extend_delivered(range.from, range.to);
  }
}

bool Feed::overlooks(const std::string& collection, std::string_view id, const Map& before, const Map& after) const {
  bool asks = false;
  for (const RemoteSubscription& subscription : subscriptions_) {
    if (subscription.predicate.collection() != collection) continue;
    if (subscription.predicate.matches(id, before) || subscription.predicate.matches(id, after)) return false;
    asks = true;
  }
  return asks;
}

bool Feed::asks_for_some_of(std::string_view collection) const {
  bool asks = false;
  for (const RemoteSubscription& subscription : subscriptions_) {
    if (subscription.predicate.collection() != collection) continue;
    if (subscription.predicate.matches_everything()) return false;
    asks = true;
  }
  return asks;
}

std::optional<std::uint64_t> Feed::settled(std::string_view collection) const {
  std::optional<std::uint64_t> lowest;
  for (const RemoteSubscription& subscription : subscriptions_) {
    if (subscription.predicate.collection() != collection) continue;
    const std::uint64_t settled = course_of(subscription).settled;
    if (level_) return settled;
    lowest = std::min(lowest.value_or(settled), settled);
  }
  return lowest;
}

bool Feed::caught_up() const {
  if (!in_flight_.empty() || !requests_.empty()) return false;
  const auto is_there = [this](const Course& course) {
    return course.complete() && course.position.seq >= shared_.head && !course.awaits_offers();
  };
  if (level_) return is_there(level_->course);
  return std::all_of(subscriptions_.begin(), subscriptions_.end(), [&](const RemoteSubscription& subscription) {
    return going(subscription) && is_there(subscription.course);
  });
}

std::optional<Instant> Feed::waiting_since() const {
  if (in_flight_.empty()) return std::nullopt;
  return waiting_since_;
}

// From the slowest subscription's last confirmed place to the end of the log.
std::uint64_t Feed::changes_unconfirmed() const {
  if (caught_up()) return 0;
  std::uint64_t confirmed = shared_.head;
  for (const RemoteSubscription& subscription : subscriptions_) {
    const Course& course = course_of(subscription);
    const std::uint64_t acked = course.acked.seq;
    confirmed = std::min(confirmed, course.awaits_offers() ? acked : std::max(acked, course.delivered));
  }
  return shared_.head - confirmed;
}

bool Feed::window_open() const {
  if (shared_.has(Mutation::WindowNeverCloses)) return true;
  if (in_flight_.size() * subscriptions_.size() >= kMaxRangesInFlight) return false;
  // Before HELLO the remote cannot say that another is bringing it all this: one frame, which saves a round trip.
  const std::size_t window = assumed_epoch_.empty() ? shared_.options.window_bytes : 1;
  return unacked_bytes_ + writer_.size() < window && unacked_offers_ + writer_.offers() < kMaxOffersInFlight;
}

std::vector<Range> Feed::announce() {
  if (level_ && level_->course.announced == level_->course.position) return {};
  leave_level();
  std::vector<Range> ranges;
  const bool offering = writer_.offers() != 0;
  for (RemoteSubscription& subscription : subscriptions_) {
    Course& course = subscription.course;
    if (course.announced == course.position) continue;
    ranges.push_back({subscription.id, course.announced.seq, course.position.seq, course.complete()});
    course.announced = course.position;
    if (offering) course.offered = course.position.seq;
  }
  return ranges;
}

bool Feed::announcement_due() const {
  // A remote that was told of a head waits until its ranges reach it.
  const auto due = [this](const Course& course) {
    const std::uint64_t told = course.announced.seq;
    const std::uint64_t known = course.position.seq;
    return told < known && (told < told_head_ || known - told >= kSilentCommits);
  };
  if (level_) return due(level_->course);
  return std::any_of(subscriptions_.begin(), subscriptions_.end(),
                     [&](const RemoteSubscription& subscription) { return due(subscription.course); });
}

void Feed::flush(std::vector<Range> ranges, std::size_t answers) {
  const std::optional<CommonRange> common = ranges.empty() ? announce_level() : std::nullopt;
  std::vector<Range> announced = common ? std::vector<Range>() : announce();
  ranges.insert(ranges.end(), announced.begin(), announced.end());
  if (writer_.empty() && ranges.empty() && !common) {
    if (in_flight_.empty()) {
      unanswered_wants_ -= answers;
    } else {
      in_flight_.back().answers += answers;
    }
    return;
  }
  documents_sent_ += writer_.documents();
  const std::size_t offers = writer_.offers();
  told_head_ = shared_.head;
  Bytes frame =
      common ? writer_.take_again(told_head_, assumed_epoch_) : writer_.take(told_head_, assumed_epoch_, ranges);
  if (in_flight_.empty()) waiting_since_ = shared_.now;
  unacked_bytes_ += frame.size();
  unacked_offers_ += offers;
  in_flight_.push_back({frame.size(), {}, common, answers, offers});
  if (!common) note_ranges(in_flight_.back(), std::move(announced));
  outlet_.send(std::move(frame));
}

}  // namespace fermata::sync
