// In live traffic every frame vouches for the same subscriptions, each from where it was to the log's head. Both sides
// of a link keep what was said last, so that this takes one byte, and no time for each of them. Private to the codec.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "sync/messages.hpp"

namespace fermata::sync {

class RangesSaid {
 public:
  // What "the same again" means in a frame with this head; nothing before note() has kept anything.
  [[nodiscard]] std::optional<CommonRange> again(std::uint64_t head) const {
    if (!subscriptions_) return std::nullopt;
    return CommonRange{subscriptions_, end_, head};
  }
  void note_again(std::uint64_t head) { end_ = head; }
  // Every other frame's ranges. Kept if all are complete and reach its head.
  void note(const std::vector<Range>& ranges, std::uint64_t head) {
    const auto reaches = [head](const Range& range) { return range.complete && range.to == head; };
    if (ranges.empty() || !std::all_of(ranges.begin(), ranges.end(), reaches)) return;
    end_ = head;
    const auto is_of = [](const Range& range, std::uint64_t subscription) {
      return range.subscription == subscription;
    };
    if (subscriptions_ &&
        std::equal(ranges.begin(), ranges.end(), subscriptions_->begin(), subscriptions_->end(), is_of))
      return;
    std::vector<std::uint64_t> subscriptions;
    for (const Range& range : ranges) subscriptions.push_back(range.subscription);
    subscriptions_ = std::make_shared<const std::vector<std::uint64_t>>(std::move(subscriptions));
  }

 private:
  std::shared_ptr<const std::vector<std::uint64_t>> subscriptions_;
  std::uint64_t end_ = 0;
};

}  // namespace fermata::sync
