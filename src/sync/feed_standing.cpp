// Which of the remote's subscriptions are sent anything now: the feed's part in reconciliation.
#include <algorithm>
#include <limits>

#include "sync/feed.hpp"

namespace fermata::sync {
namespace {

// Sending all of a collection with no more documents than this costs less than finding out what is missing.
constexpr std::uint64_t kFewDocuments = 32;

}  // namespace

// A remote that holds nothing can neither have missed a deletion nor be spared anything.
Feed::Standing Feed::standing_of(const Wanted& wanted, const std::string& collection, bool usable) const {
  if (wanted.held == 0) return Standing::Going;
  const std::uint64_t base = usable ? wanted.position.base : 0;
  if (base < shared_.store.purged_seq() && shared_.options.mutation != Mutation::HorizonIgnored)
    return Standing::Behind;
  if (usable && wanted.position.seq != 0) return Standing::Going;
  const auto ours = shared_.store.digest(collection);
  return ours && ours->digest.count > kFewDocuments ? Standing::Useless : Standing::Going;
}

bool Feed::going(const RemoteSubscription& subscription) const {
  return subscription.standing == Standing::Going &&
         (withheld_.empty() || !withheld_.contains(subscription.predicate.collection()));
}

const RemoteSubscription* Feed::find(std::uint64_t id) {
  leave_level();
  const auto found = place_of(id);
  return found == subscriptions_.end() || found->id != id ? nullptr : &*found;
}

void Feed::set_aside(std::uint64_t id) {
  parts_.subscriptions.clear();
  leave_level();
  for (RemoteSubscription& subscription : subscriptions_) {
    if (subscription.id == id && subscription.standing == Standing::Going) subscription.standing = Standing::Useless;
  }
}

void Feed::go_on(std::uint64_t id, Position position) {
  parts_.subscriptions.clear();
  leave_level();
  for (RemoteSubscription& subscription : subscriptions_) {
    if (subscription.id != id) continue;
    subscription.standing = Standing::Going;
    Course& course = subscription.course;
    if (course.position == position) continue;
    course.position = course.announced = course.acked = position;
    // Of a whole collection every document has been compared, so what the remote knows better it has sent.
    if (subscription.predicate.matches_everything()) course.delivered = std::max(course.delivered, position.seq);
  }
}

void Feed::withhold(const std::string& collection) {
  leave_level();
  withheld_.insert(collection);
  std::map<std::uint64_t, std::uint64_t> again_from;
  for (RemoteSubscription& subscription : subscriptions_) {
    if (subscription.predicate.collection() != collection) continue;
    Course& course = subscription.course;
    course.position = course.announced = course.acked;
    again_from.emplace(subscription.id, course.position.seq);
  }
  begin_again(again_from);
}

void Feed::release(const std::string& collection) {
  leave_level();
  withheld_.erase(collection);
}

// What is on its way lacks what the walk from there is for, so its acknowledgement must not count beyond that.
void Feed::begin_again(const std::map<std::uint64_t, std::uint64_t>& from) {
  parts_.subscriptions.clear();
  for (const auto& [id, seq] : from) {
    Course& course = place_of(id)->course;
    course.delivered = std::min(course.delivered, seq);
    course.settled = std::min(course.settled, seq);
  }
  for (Sent& sent : in_flight_) {
    if (sent.common) sent.ranges = ranges_of(*std::exchange(sent.common, std::nullopt));
    for (Range& range : sent.ranges) {
      if (const auto found = from.find(range.subscription); found != from.end())
        range.to = std::min(range.to, found->second);
    }
    std::erase_if(sent.ranges, [](const Range& range) { return range.from > range.to; });
  }
}

Status Feed::answer(std::vector<std::uint64_t> rows, std::vector<DocumentName> names, Bytes closing) {
  return enqueue({Request::Kind::Resolve,
                  {std::make_move_iterator(names.begin()), std::make_move_iterator(names.end())},
                  {},
                  {rows.begin(), rows.end()},
                  std::move(closing)});
}

Status Feed::show_graves(std::deque<std::uint64_t> rows) {
  ++graves_;
  return enqueue({Request::Kind::Graves, {}, {}, std::move(rows), {}});
}

void Feed::send_in_window(Bytes frame) {
  if (in_flight_.empty()) waiting_since_ = shared_.now;
  unacked_bytes_ += frame.size();
  in_flight_.push_back({frame.size(), {}, {}, 0, 0});
  outlet_.send(std::move(frame));
}

std::uint64_t Feed::received(std::string_view collection) const {
  std::uint64_t lowest = std::numeric_limits<std::uint64_t>::max();
  for (const RemoteSubscription& each : subscriptions_) {
    if (each.predicate.collection() == collection) lowest = std::min(lowest, course_of(each).acked.base);
  }
  return lowest;
}

bool Feed::is_held(std::string_view collection, std::string_view id, const crdt::Document& document) const {
  const auto ours = [](const crdt::LocalMark& mark) { return mark.source == 0 ? mark.local_seq : 0; };
  std::uint64_t latest = ours(document.life_mark());
  for (const crdt::Register& each : document.registers()) latest = std::max(latest, ours(each.mark));
  const Map view = document.view();
  return std::any_of(subscriptions_.begin(), subscriptions_.end(), [&](const RemoteSubscription& each) {
    return each.predicate.collection() == collection && course_of(each).acked.base >= latest &&
           each.predicate.matches(id, view);
  });
}

bool Feed::misses(std::string_view collection, std::string_view id, const crdt::Document& document) const {
  const Map view = document.view();
  const std::uint64_t latest = latest_change(document);
  return std::any_of(subscriptions_.begin(), subscriptions_.end(), [&](const RemoteSubscription& each) {
    if (each.predicate.collection() != collection || !each.predicate.matches(id, view)) return false;
    const Position position = course_of(each).position;
    const bool will_be_walked = position.base == 0 && position.seq < latest;
    return each.standing == Standing::Going && !will_be_walked;
  });
}

}  // namespace fermata::sync
