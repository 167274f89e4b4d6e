// Pauses between attempts: each twice the last, up to a limit, each shortened by up to half at random, so that devices
// that lost the same network do not return in step.
#pragma once

#include <algorithm>

#include "base/random.hpp"

namespace fermata::net {

class Backoff {
 public:
  Backoff(Duration first, Duration limit) : first_(first), limit_(std::max(first, limit)), next_(first) {}

  [[nodiscard]] Duration next() {
    const Duration pause = next_;
    next_ = std::min(limit_, next_ * 2);
    const auto half = static_cast<std::uint64_t>(std::max<std::int64_t>(1, pause.count() / 2));
    return pause - Duration(static_cast<std::int64_t>(system_random().below(half)));
  }
  void reset() { next_ = first_; }
  [[nodiscard]] Duration limit() const { return limit_; }

 private:
  Duration first_, limit_, next_;
};

}  // namespace fermata::net
