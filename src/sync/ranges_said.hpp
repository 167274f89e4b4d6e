// In live traffic every frame vouches for the same subscriptions, each from where it was to the log's head. Both sides
// of a link keep what was said last, so that this takes one byte. Private to the codec.
#pragma once

#include <algorithm>
#include <vector>

#include "sync/messages.hpp"

namespace fermata::sync {

class RangesSaid {
 public:
  // What "the same again" means in a frame with this head; nothing before note() has kept anything.
  [[nodiscard]] std::vector<Range> again(std::uint64_t head) const {
    std::vector<Range> ranges;
    for (const std::uint64_t subscription : subscriptions_) ranges.push_back({subscription, end_, head, true});
    return ranges;
  }
  // Every frame's ranges. Kept if all are complete and reach its head.
  void note(const std::vector<Range>& ranges, std::uint64_t head) {
    const auto reaches = [head](const Range& range) { return range.complete && range.to == head; };
    if (ranges.empty() || !std::all_of(ranges.begin(), ranges.end(), reaches)) return;
    end_ = head;
    subscriptions_.clear();
    for (const Range& range : ranges) subscriptions_.push_back(range.subscription);
  }

 private:
  std::vector<std::uint64_t> subscriptions_;
  std::uint64_t end_ = 0;
};

}  // namespace fermata::sync
