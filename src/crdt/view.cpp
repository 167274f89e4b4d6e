// What people see of a document: the tree that its registers span. Registers are sorted by path, so each subtree is one
// contiguous range and the tree comes out in key order, in one pass.
#include "crdt/counter.hpp"
#include "crdt/document.hpp"
#include "crdt/shape.hpp"

namespace fermata::crdt {
namespace {

using Range = std::span<const Register>;

// One key of a map: the registers at and below it.
struct Child {
  const std::string* key = nullptr;
  const Register* here = nullptr;  // the register at the key itself, if any
  Range below;

  [[nodiscard]] bool is_value() const { return here != nullptr && here->kind == RegisterKind::Value; }
  // A share by itself is not seen: here others have made a map of its counter. Nor is an empty map below the deepest
  // level, which would not decode: it hides what stood here before a counter whose shares are not here.
  [[nodiscard]] bool is_seen() const {
    if (!below.empty() || here->kind == RegisterKind::Value) return true;
    return here->kind == RegisterKind::Map && here->path.size() < kMaxDepth;
  }
};

// Takes the next key off `level`, whose registers share their first `depth` names.
Child next_child(Range& level, std::size_t depth) {
  Child child;
  child.key = &level.front().path[depth];
  // A path that ends at this level is the first of its key, so between the fields of a flat map nothing is compared.
  const auto belongs = [&](const Register& r) { return r.path.size() > depth + 1 && r.path[depth] == *child.key; };
  std::size_t count = 1;
  while (count < level.size() && belongs(level[count])) ++count;
  child.below = level.first(count);
  if (level.front().path.size() == depth + 1) {
    child.here = &level.front();
    child.below = child.below.subspan(1);
  }
  level = level.subspan(count);
  return child;
}

Map build(Range level, std::size_t depth) {
  Map map;
  while (!level.empty()) {
    const Child child = next_child(level, depth);
    if (child.is_value()) {
      map.emplace_hint(map.end(), *child.key, child.here->value);
    } else if (is_counter(child.below, depth + 1)) {
      map.emplace_hint(map.end(), *child.key, sum_of(child.below));
    } else if (child.is_seen()) {
      map.emplace_hint(map.end(), *child.key, build(child.below, depth + 1));
    }
  }
  return map;
}

void write(Range level, std::size_t depth, CborWriter& out) {
  std::size_t seen = 0;
  for (Range rest = level; !rest.empty();) {
    if (next_child(rest, depth).is_seen()) ++seen;
  }
  out.map(seen);
  while (!level.empty()) {
    const Child child = next_child(level, depth);
    if (!child.is_seen()) continue;
    out.text(*child.key);
    if (child.is_value()) {
      out.value(child.here->value);
    } else if (is_counter(child.below, depth + 1)) {
      out.integer(sum_of(child.below));
    } else {
      write(child.below, depth + 1, out);
    }
  }
}

}  // namespace

bool exceeds_depth(std::size_t depth, const Value& value) {
  const auto is_deeper = [depth](const Value& inner) { return exceeds_depth(depth + 1, inner); };
  if (const Array* array = value.if_a<Array>()) {
    return depth >= kMaxDepth || std::any_of(array->begin(), array->end(), is_deeper);
  }
  if (const Map* map = value.if_a<Map>()) {
    return depth >= kMaxDepth ||
           std::any_of(map->begin(), map->end(), [&](const auto& item) { return is_deeper(item.second); });
  }
  return depth > kMaxDepth;
}

Map Document::view() const {
  return build(registers_, 0);
}

Bytes Document::encode_body() const {
  CborWriter out;
  write(registers_, 0, out);
  return out.take();
}

}  // namespace fermata::crdt
