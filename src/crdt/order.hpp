// The two orders behind the merge: of paths (a subtree is one contiguous range) and of age (who voids whom).
// Internal to crdt.
#pragma once

#include <algorithm>
#include <compare>
#include <span>

#include "crdt/document.hpp"

namespace fermata::crdt {

using PathView = std::span<const std::string>;

[[nodiscard]] inline std::strong_ordering compare(PathView a, PathView b) {
  return std::lexicographical_compare_three_way(a.begin(), a.end(), b.begin(), b.end());
}

[[nodiscard]] inline bool is_below(PathView path, PathView ancestor) {
  return ancestor.size() < path.size() && std::equal(ancestor.begin(), ancestor.end(), path.begin());
}

// Where `path` is or belongs in a sorted range of registers.
template <class Registers>
[[nodiscard]] auto place_of(Registers& registers, PathView path) {
  return std::lower_bound(registers.begin(), registers.end(), path,
                          [](const Register& a, PathView b) { return compare(a.path, b) < 0; });
}

// One past the last register below `path`, counting from `first`, which must not stand before them.
template <class Iterator>
[[nodiscard]] Iterator end_of_subtree(Iterator first, Iterator last, PathView path) {
  return std::find_if_not(first, last, [path](const Register& r) { return is_below(r.path, path); });
}

// A total order of commits' writes. The seq breaks the tie between two commits of one actor whose registers were bumped
// to one stamp. Two registers of equal age are of one commit.
struct Age {
  std::uint64_t life = 0;
  Stamp stamp;
  ActorId actor = 0;
  std::uint64_t seq = 0;
  friend auto operator<=>(const Age&, const Age&) = default;
};

[[nodiscard]] inline Age age_of(const Register& r) {
  return Age{r.life, r.stamp, r.dot.actor, r.dot.seq};
}

// What a local write that replaces something of this stamp carries at least. Not the next: that is where a counter
// begins on what is replaced, which such a write, too, is to void.
[[nodiscard]] inline Stamp after(Stamp replaced) {
  return replaced.next().next();
}

// Of two registers at one path: whether `a` replaces `b`. Never both ways; neither way only if they are the same.
[[nodiscard]] bool wins(const Register& a, const Register& b);

// The value gives way to a map; what stays is that something of this age was written here.
inline void hide(Register& r) {
  r.kind = RegisterKind::Map;
  r.value = Value{};
}

}  // namespace fermata::crdt
