#include "query/equality.hpp"

#include <bit>
#include <cmath>

#include "query/matcher.hpp"
#include "query/predicate.hpp"

namespace fermata::query {
namespace {

std::string key_of(char kind, std::string_view bytes) {
  return std::string(1, kind).append(bytes);
}

std::optional<std::string> key_of(const Scalar& scalar) {
  if (const auto* integer = std::get_if<std::int64_t>(&scalar)) return key_of('i', std::to_string(*integer));
  if (const auto text = text_of(scalar)) return key_of('t', *text);
  if (const auto* blob = std::get_if<Bytes>(&scalar)) return key_of('b', std::string(blob->begin(), blob->end()));
  const auto* real = std::get_if<double>(&scalar);
  if (real == nullptr) return std::nullopt;
  constexpr double kTooLarge = 9223372036854775808.0;  // 2^63
  const bool whole = std::trunc(*real) == *real && *real < kTooLarge && *real >= -kTooLarge;
  if (whole) return key_of('i', std::to_string(static_cast<std::int64_t>(*real)));
  return key_of('r', std::to_string(std::bit_cast<std::uint64_t>(*real)));
}

std::optional<Equality> equality_in(const Expression& node) {
  if (node.kind != ExpressionKind::Compare || node.comparison != Comparison::Equal) return std::nullopt;
  const auto* path = std::get_if<crdt::Path>(&node.operands[0]);
  const auto* constant = std::get_if<Value>(&node.operands[1]);
  if (path == nullptr) {
    path = std::get_if<crdt::Path>(&node.operands[1]);
    constant = std::get_if<Value>(&node.operands[0]);
  }
  if (path == nullptr || constant == nullptr) return std::nullopt;
  auto key = key_of(to_scalar(*constant));
  if (!key) return std::nullopt;
  return Equality{*path, std::move(*key)};
}

}  // namespace

std::optional<std::string> equality_key(const crdt::Path& path, std::string_view id, const Map& view) {
  if (is_id(path)) return key_of('t', id);
  if (path.front() == kIdField) return std::nullopt;
  const Value* value = value_at(view, path);
  return value == nullptr ? std::nullopt : key_of(to_scalar(*value));
}

// The id is the most selective there can be; else the first is as good as another.
std::optional<Equality> equality_of(const Expression* where) {
  if (where == nullptr) return std::nullopt;
  if (where->kind != ExpressionKind::And) return equality_in(*where);
  std::optional<Equality> first;
  for (const Expression& child : where->children) {
    auto found = equality_in(child);
    if (found && is_id(found->path)) return found;
    if (!first) first = std::move(found);
  }
  return first;
}

std::optional<Equality> Predicate::equality() const {
  return equality_of(where_.get());
}

}  // namespace fermata::query
