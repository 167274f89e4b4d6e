// Merging. The state is the join of all registers seen, in the order of `wins` per path, minus those with a younger
// ancestor, with values above a surviving register hidden. Age is a total order, so being void is transitive: whatever
// voids the register that voided me voids me too. Hence it does not matter when void registers are dropped.
#include "crdt/document.hpp"
#include "crdt/order.hpp"

namespace fermata::crdt {
namespace {

// Hidden ranks highest, so that "was hidden" is as monotone as everything else: a copy of the register that still has
// its value changes nothing.
int rank(RegisterKind kind) {
  switch (kind) {
    case RegisterKind::Value:
      return 0;
    case RegisterKind::Counter:
      return 1;
    case RegisterKind::Absent:
      return 2;
    case RegisterKind::Map:
      return 3;
  }
  return 0;
}

// A register of the joined list, not yet judged by its ancestors.
struct Candidate {
  Register* ours = nullptr;
  Register* theirs = nullptr;  // exactly one is set
  [[nodiscard]] const Register& get() const { return ours != nullptr ? *ours : *theirs; }
};

// Whether all are of this life, and none stands above another. Mostly so in a document that is new here.
bool are_fields_of(const std::vector<Register>& registers, std::uint64_t life) {
  return std::all_of(registers.begin(), registers.end(),
                     [life](const Register& r) { return r.path.size() == 1 && r.life == life; });
}

std::vector<Candidate> join(std::vector<Register>& ours, std::vector<Register>& theirs, std::uint64_t life) {
  std::vector<Candidate> joined;
  joined.reserve(ours.size() + theirs.size());
  auto our = ours.begin();
  for (Register& their : theirs) {
    if (their.life != life) continue;
    for (; our != ours.end() && our->path < their.path; ++our) joined.push_back({&*our, nullptr});
    if (our == ours.end() || our->path != their.path) {
      joined.push_back({nullptr, &their});
    } else if (wins(their, *our)) {
      joined.push_back({nullptr, &their});
      ++our;
    }
  }
  for (; our != ours.end(); ++our) joined.push_back({&*our, nullptr});
  return joined;
}

}  // namespace

bool wins(const Register& a, const Register& b) {
  if (const auto order = age_of(a) <=> age_of(b); order != 0) return order > 0;
  if (a.kind != b.kind) return rank(a.kind) > rank(b.kind);
  // One commit wrote two values at one path: only a dishonest peer does, and still everybody must agree.
  return has_value(a.kind) && encode_value(a.value) > encode_value(b.value);
}

bool Document::merge(Delta&& delta, const LocalMark& mark) {
  std::uint64_t life = delta.life;
  for (const Register& r : delta.registers) life = std::max(life, r.life);
  bool changed = raise_life(life, mark);

  constexpr std::size_t kWorthJoining = 8;  // below 1/8 of ours, finding each place is cheaper than a pass over all
  if (delta.registers.size() == 1 || delta.registers.size() * kWorthJoining < registers_.size()) {
    for (Register& r : delta.registers) changed = merge_one(r, mark) || changed;
  } else {
    changed = merge_all(delta.registers, mark) || changed;
  }
  return changed;
}

bool Document::raise_life(std::uint64_t life, const LocalMark& mark) {
  if (life <= life_) return false;
  life_ = life;
  life_mark_ = mark;
  std::erase_if(registers_, [kept = kept_life()](const Register& r) { return r.life != kept; });
  return true;
}

bool Document::merge_all(std::vector<Register>& theirs, const LocalMark& mark) {
  const bool nothing_to_judge = registers_.empty() && are_fields_of(theirs, kept_life());
  if (nothing_to_judge) {
    registers_ = std::move(theirs);
    for (Register& r : registers_) r.mark = mark;
    return !registers_.empty();
  }
  const std::vector<Candidate> joined = join(registers_, theirs, kept_life());
  std::vector<Register> kept;
  kept.reserve(joined.size());
  std::vector<std::size_t>
      chain;  // the kept ancestors of the candidate, outermost first; each is no younger than the next
  bool changed = false;
  for (const Candidate& candidate : joined) {
    while (!chain.empty() && !is_below(candidate.get().path, kept[chain.back()].path)) chain.pop_back();
    if (!chain.empty()) {
      Register& ancestor = kept[chain.back()];
      if (age_of(ancestor) > age_of(candidate.get())) continue;
      hide(ancestor);
    }
    chain.push_back(kept.size());
    if (candidate.ours != nullptr) {
      kept.push_back(std::move(*candidate.ours));
    } else {
      kept.push_back(std::move(*candidate.theirs));
      kept.back().mark = mark;
      changed = true;
    }
  }
  registers_ = std::move(kept);
  return changed;
}

bool Document::merge_one(Register& theirs, const LocalMark& mark) {
  if (theirs.life != kept_life() || has_younger_ancestor(theirs)) return false;
  auto at = place_of(registers_, theirs.path);
  const bool replaces = at != registers_.end() && at->path == theirs.path;
  if (replaces && !wins(theirs, *at)) return false;

  Register fresh = std::move(theirs);
  fresh.mark = mark;
  const auto first = at + (replaces ? 1 : 0);
  const auto last = end_of_subtree(first, registers_.end(), fresh.path);
  const auto survivors =
      std::remove_if(first, last, [age = age_of(fresh)](const Register& r) { return age_of(r) < age; });
  if (survivors != first) hide(fresh);
  registers_.erase(survivors, last);
  hide_ancestors(fresh.path);
  if (replaces) {
    *at = std::move(fresh);
  } else {
    registers_.insert(at, std::move(fresh));
  }
  return true;
}

bool Document::has_younger_ancestor(const Register& r) const {
  for (std::size_t depth = 1; depth < r.path.size(); ++depth) {
    const PathView ancestor = PathView(r.path).first(depth);
    const auto at = place_of(registers_, ancestor);
    if (at != registers_.end() && compare(at->path, ancestor) == 0 && age_of(*at) > age_of(r)) return true;
  }
  return false;
}

void Document::hide_ancestors(const Path& path) {
  for (std::size_t depth = 1; depth < path.size(); ++depth) {
    const PathView ancestor = PathView(path).first(depth);
    const auto at = place_of(registers_, ancestor);
    if (at != registers_.end() && compare(at->path, ancestor) == 0) hide(*at);
  }
}

}  // namespace fermata::crdt
