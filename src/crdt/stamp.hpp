// The hybrid logical clock (Kulkarni et al. 2014): stamps pick winners, they never prove knowledge.
#pragma once

#include <compare>
#include <cstdint>

#include "base/time.hpp"

namespace fermata::crdt {

// 48 bits of milliseconds since 1970, 16 bits of counter.
struct Stamp {
  std::uint64_t value = 0;
  friend auto operator<=>(const Stamp&, const Stamp&) = default;
  [[nodiscard]] Stamp next() const { return Stamp{value + 1}; }
};

// A random name for one incarnation of a peer's authorship; never reused.
using ActorId = std::uint64_t;

// One commit by one actor. `seq` starts at 1 and is dense.
struct Dot {
  ActorId actor = 0;
  std::uint64_t seq = 0;
  friend auto operator<=>(const Dot&, const Dot&) = default;
};

// Issues this peer's stamps. Pure: time is handed in.
class HybridClock {
 public:
  // How far beyond the wall clock a remote stamp may pull ours (DESIGN §3); what is beyond is ignored.
  static constexpr std::chrono::milliseconds kMaxLead{60'000};

  explicit HybridClock(Stamp last = {}) : last_(last) {}
  [[nodiscard]] Stamp tick(WallTime wall);
  void observe(Stamp remote, WallTime wall);
  [[nodiscard]] Stamp last() const { return last_; }

 private:
  Stamp last_;
};

}  // namespace fermata::crdt
