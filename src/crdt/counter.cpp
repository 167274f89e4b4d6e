#include "crdt/counter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "crdt/order.hpp"
#include "crdt/shape.hpp"

namespace fermata::crdt {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = -kMost;  // as far as one author alone can count down
__extension__ using Wide = __int128;     // holds the sum of as many shares as fit into memory

Status refused(std::string_view what, std::string_view why) {
  return fail(ErrorCode::InvalidArgument, fmt::format("'{}' {}", what, why));
}

}  // namespace

void Totals::add(std::int64_t amount) {
  std::int64_t& total = amount < 0 ? down : up;
  const auto magnitude = amount < 0 ? -Wide{amount} : Wide{amount};
  total = static_cast<std::int64_t>(std::min(Wide{total} + magnitude, Wide{kMost}));
}

Path share_path(Path path, ActorId author) {
  std::string& name = path.emplace_back(1, '\0');
  for (int shift = 56; shift >= 0; shift -= 8) name.push_back(static_cast<char>(author >> shift));
  return path;
}

Path counter_path(const Register& share) {
  return {share.path.begin(), share.path.end() - 1};
}

Value value_of(const Totals& totals) {
  return Array{totals.up, totals.down};
}

Totals totals_of(const Register& share) {
  const Array* pair = share.value.if_a<Array>();
  if (pair == nullptr || pair->size() != 2) return {};
  const auto part = [&](std::size_t i) {
    const std::int64_t* number = (*pair)[i].if_a<std::int64_t>();
    return number != nullptr ? *number : 0;
  };
  return {part(0), part(1)};
}

bool is_counter(std::span<const Register> below, std::size_t depth) {
  return !below.empty() && std::all_of(below.begin(), below.end(), [depth](const Register& r) {
    return r.kind == RegisterKind::Counter && r.path.size() == depth + 1;
  });
}

std::int64_t sum_of(std::span<const Register> shares) {
  Wide sum = 0;
  for (const Register& share : shares) {
    const Totals totals = totals_of(share);
    sum += Wide{totals.up} - Wide{totals.down};
  }
  return static_cast<std::int64_t>(std::clamp(sum, Wide{kLeast}, Wide{kMost}));
}

std::span<const Register> Document::below(const Path& path) const {
  auto first = place_of(registers_, path);
  if (first != registers_.end() && first->path == path) ++first;
  return {first, end_of_subtree(first, registers_.end(), path)};
}

std::vector<Path> Document::counters() const {
  std::vector<Path> found;
  for (const Register& r : registers_) {
    if (r.kind != RegisterKind::Counter) continue;
    Path path = counter_path(r);
    if ((found.empty() || found.back() != path) && is_counter(below(path), path.size()))
      found.push_back(std::move(path));
  }
  return found;
}

bool Document::stands_below_counter(const Path& path) const {
  for (std::size_t depth = 1; depth < path.size(); ++depth) {
    if (is_counter(below({path.begin(), path.begin() + static_cast<std::ptrdiff_t>(depth)}), depth)) return true;
  }
  return false;
}

Status Document::check_countable(const Path& path) const {
  if (!alive()) return fail(ErrorCode::NotFound, "cannot update a document that does not exist; insert it first");
  if (path.empty()) return fail(ErrorCode::InvalidArgument, "a document is no counter; name the field to increment");
  if (path.size() > kMaxDepth) {
    return fail(ErrorCode::LimitExceeded,
                fmt::format("'{}' nests deeper than {} levels; make it flatter", dotted(path), kMaxDepth));
  }
  if (stands_below_counter(path)) return refused(dotted(path), "is below a counter, which has no fields");
  const auto at = place_of(registers_, path);
  const bool here = at != registers_.end() && at->path == path && at->kind != RegisterKind::Absent;
  const auto inside = below(path);
  if (inside.empty() ? here : !is_counter(inside, path.size())) {
    return refused(dotted(path), "is no counter but another value; only what INCREMENT made can be incremented");
  }
  return {};
}

// A counter goes on from what made room for it: what stands at its path and above. All its shares carry one stamp, that
// right behind those, however late they are written, whereas local writes step over it (see model_for). So authors who
// saw the same beginning count together, and who writes over the counter voids it, shares that he has not seen
// included.
Result<Stamp> Document::beginning_of(const Path& path) const {
  Stamp before;
  for (std::size_t depth = 1; depth <= path.size(); ++depth) {
    const PathView above = PathView(path).first(depth);
    const auto at = place_of(registers_, above);
    if (at != registers_.end() && compare(at->path, above) == 0) before = std::max(before, at->stamp);
  }
  if (before >= kMaxStamp) {
    return fail(ErrorCode::LimitExceeded,
                fmt::format("'{}' carries the last possible timestamp, from a device whose clock was wrong; "
                            "delete the document and insert it anew",
                            dotted(path)));
  }
  Stamp beginning = before.next();
  for (const Register& share : below(path)) beginning = std::max(beginning, share.stamp);
  return beginning;
}

Status Document::increment(const Path& path, std::int64_t amount, const Commit& commit) {
  if (auto checked = check_countable(path); !checked) return checked;
  const Path own = share_path(path, commit.dot.actor);
  auto at = place_of(registers_, own);
  if (at == registers_.end() || at->path != own) {
    const auto beginning = beginning_of(path);
    if (!beginning) return fail(beginning.error());
    hide_ancestors(own);
    at = registers_.insert(at, Register{.path = own, .kind = RegisterKind::Counter, .stamp = *beginning});
  }
  Totals totals = totals_of(*at);
  totals.add(amount);
  at->value = value_of(totals);
  at->dot = commit.dot;
  at->life = life_;
  at->mark = LocalMark{commit.local_seq, 0};
  return {};
}

}  // namespace fermata::crdt
