// How a counter lies among the registers: at its path stand, like the fields of a map, the shares of those who counted,
// each a register that only its author writes. So merging, pruning and shipping know nothing of counters: an author's
// younger share replaces its older one, and whoever replaces the counter voids its shares.
// Internal to crdt.
#pragma once

#include <span>

#include "crdt/document.hpp"

namespace fermata::crdt {

// What one author has counted up and down since the counter began. Neither shrinks; at the greatest int64 they stand
// still.
struct Totals {
  std::int64_t up = 0;
  std::int64_t down = 0;

  void add(std::int64_t amount);
};

// The path of this author's share of the counter at `path`. Its last name is NUL and the actor, highest byte first.
[[nodiscard]] Path share_path(Path path, ActorId author);
// Where the counter stands that this is a share of.
[[nodiscard]] Path counter_path(const Register& share);

[[nodiscard]] Value value_of(const Totals& totals);
[[nodiscard]] Totals totals_of(const Register& share);

// Whether all that stands below a path of `depth` names are shares, and at least one.
[[nodiscard]] bool is_counter(std::span<const Register> below, std::size_t depth);
// All ups minus all downs, within plus or minus the greatest int64: what one author can count to, so that an import can
// make any counter that is seen.
[[nodiscard]] std::int64_t sum_of(std::span<const Register> shares);

}  // namespace fermata::crdt
