// The hybrid logical clock (Kulkarni et al. 2014): stamps pick winners, they never prove knowledge.
#pragma once

#include <compare>
#include <cstdint>

#include "base/time.hpp"

namespace fermata::crdt {

// 48 bits of milliseconds since 1970, 16 bits of counter. Never above kMaxStamp, so that next() cannot wrap round.
struct Stamp {
  std::uint64_t value = 0;
  friend auto operator<=>(const Stamp&, const Stamp&) = default;
  [[nodiscard]] Stamp next() const { return Stamp{value + 1}; }
};

// The year 6429. What claims to be younger does not decode.
inline constexpr Stamp kMaxStamp{(std::uint64_t{1} << 63) - 1};

// A random name for one incarnation of a peer's authorship; never reused.
using ActorId = std::uint64_t;

// One commit by one actor. `seq` starts at 1 and is dense.
struct Dot {
  ActorId actor = 0;
  std::uint64_t seq = 0;
  friend auto operator<=>(const Dot&, const Dot&) = default;
};

// Issues this peer's stamps, each greater than the one before, whatever the wall clock does. Pure: time is handed in.
class HybridClock {
 public:
  // How far beyond the wall clock a remote stamp may pull ours; a stamp beyond that is ignored, because one device
  // with a wrong clock would otherwise drag the whole group along for ever.
  static constexpr std::chrono::milliseconds kMaxLead{60'000};

  explicit HybridClock(Stamp last = {}) : last_(last) {}
  [[nodiscard]] Stamp tick(WallTime wall);
  void observe(Stamp remote, WallTime wall);
  [[nodiscard]] Stamp last() const { return last_; }

 private:
  Stamp last_;
};

}  // namespace fermata::crdt
