// While all subscriptions are on the same course, it is kept once. So the cost of a commit does not grow with their
// number: neither of one that none of them wants, nor of one that is sent, announced and acknowledged.
#include "sync/feed.hpp"

namespace fermata::sync {

void Feed::enter_level() {
  if (level_ || subscriptions_.empty()) return;
  for (RemoteSubscription& each : subscriptions_) {
    Course& course = each.course;
    if (!course.awaits_offers()) course.offered = 0;
    if (!going(each) || !course.complete() || course != subscriptions_.front().course) return;
  }
  level_ = Level{subscriptions_.front().course, nullptr};
  const auto said = writer_.again(shared_.head);
  if (!said || said->from != level_->course.announced.seq) return;
  const auto is_of = [](const RemoteSubscription& each, std::uint64_t id) { return each.id == id; };
  const auto& ids = *said->subscriptions;
  if (std::equal(subscriptions_.begin(), subscriptions_.end(), ids.begin(), ids.end(), is_of))
    level_->said = said->subscriptions;
}

void Feed::leave_level() {
  if (!level_) return;
  for (RemoteSubscription& each : subscriptions_) each.course = level_->course;
  level_.reset();
}

void Feed::raise_level(std::uint64_t seq) {
  Position& position = level_->course.position;
  if (position.seq < seq) position = {seq, seq};
}

std::optional<CommonRange> Feed::announce_level() {
  if (!level_ || !level_->said) return std::nullopt;
  Course& course = level_->course;
  if (course.announced == course.position || course.position.seq != shared_.head) return std::nullopt;
  // The answer to a WANT may have said other ranges meanwhile.
  auto said = writer_.again(shared_.head);
  if (!said || said->subscriptions != level_->said || said->from != course.announced.seq) return std::nullopt;
  course.announced = course.position;
  if (writer_.offers() != 0) course.offered = course.position.seq;
  return said;
}

void Feed::note_ranges(Sent& sent, std::vector<Range> ranges) const {
  const auto said = writer_.again(told_head_);
  const auto is_common = [&](const Range& range, std::uint64_t id) {
    return range == Range{id, ranges.front().from, told_head_, true};
  };
  const bool common = said && std::equal(ranges.begin(), ranges.end(), said->subscriptions->begin(),
                                         said->subscriptions->end(), is_common);
  if (common) {
    sent.common = CommonRange{said->subscriptions, ranges.front().from, told_head_};
  } else {
    sent.ranges = std::move(ranges);
  }
}

void Feed::delivered(const CommonRange& common) {
  if (level_ && level_->said == common.subscriptions) return level_->course.extend_delivered(common.from, common.to);
  leave_level();
  for (const std::uint64_t id : *common.subscriptions) {
    const auto found = place_of(id);
    if (found != subscriptions_.end() && found->id == id) found->course.extend_delivered(common.from, common.to);
  }
}

}  // namespace fermata::sync
