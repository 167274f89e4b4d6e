#include "crdt/stamp.hpp"

#include <algorithm>

namespace fermata::crdt {
namespace {

constexpr int kCounterBits = 16;

Stamp at(WallTime wall) {
  const std::int64_t ms = wall.time_since_epoch().count();
  constexpr std::int64_t kMaxMs = kMaxStamp.value >> kCounterBits;
  return Stamp{static_cast<std::uint64_t>(std::clamp<std::int64_t>(ms, 0, kMaxMs)) << kCounterBits};
}

}  // namespace

Stamp HybridClock::tick(WallTime wall) {
  last_ = std::min(std::max(last_.next(), at(wall)), kMaxStamp);
  return last_;
}

void HybridClock::observe(Stamp remote, WallTime wall) {
  if (remote <= at(wall + kMaxLead)) last_ = std::max(last_, remote);
}

}  // namespace fermata::crdt
