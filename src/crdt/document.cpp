// Local writes, and what a document says about itself.
#include "crdt/document.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "base/hash.hpp"
#include "crdt/digest.hpp"
#include "crdt/order.hpp"
#include "crdt/shape.hpp"

namespace fermata::crdt {
namespace {

Status too_deep(const Path& path) {
  return fail(ErrorCode::LimitExceeded,
              fmt::format("the value at '{}' nests deeper than {} levels; make it flatter", dotted(path), kMaxDepth));
}

Status not_alive(std::string_view what) {
  return fail(ErrorCode::NotFound, fmt::format("cannot {} a document that does not exist; insert it first", what));
}

Status worn_out() {
  return fail(ErrorCode::LimitExceeded, "the document was deleted and inserted too often; use a new id");
}

// What is hashed: numbers as eight bytes, the lowest first; texts as their length and their bytes.
class HashInput {
 public:
  explicit HashInput(std::size_t likely_bytes) { bytes_.reserve(likely_bytes); }
  void number(std::uint64_t value) {
    std::array<char, 8> bytes;
    if constexpr (std::endian::native == std::endian::little) {
      std::memcpy(bytes.data(), &value, bytes.size());
    } else {
      for (char& byte : bytes) byte = static_cast<char>(std::exchange(value, value >> 8U));
    }
    bytes_.append(bytes.data(), bytes.size());
  }
  void text(std::string_view text) {
    number(text.size());
    bytes_.append(text);
  }
  [[nodiscard]] std::uint64_t hash() const { return fast_hash64(as_bytes(bytes_)); }

 private:
  std::string bytes_;
};

// Appends one register per leaf of `map`, in path order. `model` carries all but path, kind and value.
Status add_leaves(const Map& map, Path& path, const Register& model, std::vector<Register>& out) {
  for (const auto& [key, value] : map) {
    path.push_back(key);
    const Map* inner = value.if_a<Map>();
    if (inner != nullptr && !inner->empty()) {
      if (path.size() >= kMaxDepth) return too_deep(path);
      if (auto added = add_leaves(*inner, path, model, out); !added) return added;
    } else {
      if (exceeds_depth(path.size(), value)) return too_deep(path);
      Register& leaf = out.emplace_back(model);
      leaf.path = path;
      leaf.kind = inner != nullptr ? RegisterKind::Map : RegisterKind::Value;
      if (inner == nullptr) leaf.value = value;
    }
    path.pop_back();
  }
  return {};
}

}  // namespace

std::string dotted(const Path& path) {
  return fmt::format("{}", fmt::join(path, "."));
}

Status Document::insert(const Map& fields, const Commit& commit) {
  if (alive()) return fail(ErrorCode::AlreadyExists, "cannot insert a document that exists; update it instead");
  // A tombstone may be the second of its document, of a life before that which was forgotten.
  const std::uint64_t ended = std::max(life_, (commit.purged_life + 1) / 2 * 2);
  if (ended >= kMaxLife) return worn_out();
  const std::uint64_t life = ended + 1;
  const LocalMark mark{commit.local_seq, 0};
  Register model;
  model.dot = commit.dot;
  model.stamp = commit.stamp;
  model.life = life;
  model.mark = mark;
  std::vector<Register> fresh;
  fresh.reserve(fields.size());
  Path path;
  if (auto added = add_leaves(fields, path, model, fresh); !added) return added;
  raise_life(life, mark);
  registers_ = std::move(fresh);
  return {};
}

Status Document::set(const Path& path, const Value& value, const Commit& commit) {
  if (!alive()) return not_alive("update");
  if (path.empty()) return fail(ErrorCode::InvalidArgument, "a document is not a field; name the field to set");
  if (exceeds_depth(path.size(), value)) return too_deep(path);
  if (stands_below_counter(path)) {
    return fail(
        ErrorCode::InvalidArgument,
        fmt::format("'{}' is below a counter, which has no fields; unset or replace the counter", dotted(path)));
  }
  auto model = model_for(path, commit);
  if (!model) return fail(std::move(model.error()));
  std::vector<Register> fresh;
  Register& top = fresh.emplace_back(*model);
  top.path = path;
  if (const Map* map = value.if_a<Map>()) {
    top.kind = RegisterKind::Map;
    Path below = path;
    if (auto added = add_leaves(*map, below, *model, fresh); !added) return added;
  } else {
    top.value = value;
  }
  replace_subtree(path, std::move(fresh));
  return {};
}

Status Document::unset(const Path& path, const Commit& commit) {
  if (!alive()) return not_alive("update");
  if (path.empty()) return fail(ErrorCode::InvalidArgument, "a document is not a field; name the field to unset");
  // Nothing to see there means nothing to take away: a register for it would only make its parents appear.
  const auto at = place_of(registers_, path);
  const bool here = at != registers_.end() && at->path == path && at->kind != RegisterKind::Absent;
  const bool below = at != registers_.end() && is_below(at->path, path);
  if (!here && !below) return {};
  auto model = model_for(path, commit);
  if (!model) return fail(std::move(model.error()));
  model->path = path;
  model->kind = RegisterKind::Absent;
  replace_subtree(path, {*std::move(model)});
  return {};
}

Status Document::remove(const Commit& commit) {
  if (!alive()) return not_alive("delete");
  raise_life(life_ + 1, LocalMark{commit.local_seq, 0});
  return {};
}

// An edit always beats what its author saw: what stands at the path, below it, and above it. Writes of the same commit
// need not be beaten, only not be older than: they were never shipped, or are shipped with this one.
Result<Register> Document::model_for(const Path& path, const Commit& commit) const {
  Stamp stamp = commit.stamp;
  const auto beat = [&](const Register& r) { stamp = std::max(stamp, r.dot == commit.dot ? r.stamp : after(r.stamp)); };
  for (std::size_t depth = 1; depth < path.size(); ++depth) {
    const PathView ancestor = PathView(path).first(depth);
    const auto at = place_of(registers_, ancestor);
    if (at != registers_.end() && compare(at->path, ancestor) == 0) beat(*at);
  }
  auto at = place_of(registers_, path);
  if (at != registers_.end() && at->path == path) beat(*at++);
  std::for_each(at, end_of_subtree(at, registers_.end(), path), beat);
  if (stamp > kMaxStamp) {
    return fail(ErrorCode::LimitExceeded,
                fmt::format("'{}' carries the last possible timestamp, from a device whose clock was wrong; "
                            "delete the document and insert it anew",
                            dotted(path)));
  }
  Register model;
  model.dot = commit.dot;
  model.stamp = stamp;
  model.life = life_;
  model.mark = LocalMark{commit.local_seq, 0};
  return model;
}

void Document::replace_subtree(const Path& path, std::vector<Register> fresh) {
  hide_ancestors(path);
  const auto first = place_of(registers_, path);
  const auto below = first + (first != registers_.end() && first->path == path ? 1 : 0);
  const auto last = end_of_subtree(below, registers_.end(), path);
  const auto common = std::min(last - first, static_cast<std::ptrdiff_t>(fresh.size()));
  const auto rest = std::move(fresh.begin(), fresh.begin() + common, first);
  const auto at = registers_.erase(rest, last);
  registers_.insert(at, std::make_move_iterator(fresh.begin() + common), std::make_move_iterator(fresh.end()));
}

Stamp Document::newest_stamp() const {
  Stamp newest;
  for (const Register& r : registers_) newest = std::max(newest, r.stamp);
  return newest;
}

std::optional<Delta> Document::delta_since(std::uint64_t since, std::uint32_t except_source) const {
  const auto qualifies = [&](const LocalMark& mark) {
    return mark.local_seq > since && (except_source == 0 || mark.source != except_source);
  };
  Delta delta;
  for (const Register& r : registers_) {
    if (qualifies(r.mark)) delta.registers.push_back(r);
  }
  if (delta.registers.empty() && !qualifies(life_mark_)) return std::nullopt;
  delta.life = life_;
  delta.whole = delta.registers.size() == registers_.size();
  return delta;
}

std::uint64_t Document::fingerprint() const {
  constexpr std::size_t kBytesPerRegister = 64;
  HashInput state(sizeof life_ + registers_.size() * kBytesPerRegister);
  state.number(life_);
  for (const Register& r : registers_) {
    state.number(r.path.size());
    for (const std::string& name : r.path) state.text(name);
    for (const std::uint64_t field : {r.dot.actor, r.dot.seq, r.stamp.value, r.life}) state.number(field);
  }
  return state.hash();
}

std::uint64_t version_of(std::string_view collection, std::string_view id, std::uint64_t fingerprint) {
  HashInput name(3 * sizeof fingerprint + collection.size() + id.size());
  name.text(collection);
  name.text(id);
  name.number(fingerprint);
  return std::max<std::uint64_t>(name.hash(), 1);
}

std::uint64_t version_of(std::string_view collection, std::string_view id, const Document& document) {
  return document.alive() ? version_of(collection, id, document.fingerprint()) : 0;
}

}  // namespace fermata::crdt
