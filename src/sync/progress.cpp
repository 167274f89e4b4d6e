#include "sync/progress.hpp"

#include <algorithm>

namespace fermata::sync {

void Progress::extend(std::uint64_t to, bool complete) {
  // A range that ends where we are still tells whether anything is left behind.
  if (to < position_.seq) return;
  position_.seq = to;
  if (complete) position_.base = to;
}

Status Progress::fold(const Range& range) {
  if (range.from > position_.seq) {
    auto [place, fresh] = waiting_.try_emplace(range.from, End{range.to, range.complete});
    if (!fresh && place->second.to <= range.to) place->second = {range.to, range.complete};
    // Neighbours become one, so that only holes count.
    if (place != waiting_.begin()) {
      const auto before = std::prev(place);
      if (before->second.to == range.from) {
        before->second = place->second;
        waiting_.erase(place);
      }
    }
    if (waiting_.size() > kMaxHoles) return fail(ErrorCode::LimitExceeded, "too many holes in what the peer sent");
    return {};
  }
  extend(range.to, range.complete);
  while (!waiting_.empty() && waiting_.begin()->first <= position_.seq) {
    const End end = waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    extend(end.to, end.complete);
  }
  return {};
}

}  // namespace fermata::sync
