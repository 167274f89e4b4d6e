#include <algorithm>

#include "base/cbor.hpp"
#include "query/matcher.hpp"
#include "store/field_functions.hpp"

namespace fermata::query {

const Value* BodySource::find(const crdt::Path& path) const {
  const auto known =
      std::find_if(decoded_.begin(), decoded_.end(), [&](const Decoded& each) { return each.path == &path; });
  if (known != decoded_.end()) return known->value.get();
  return decoded_.emplace_back(Decoded{&path, decode(path)}).value.get();
}

std::unique_ptr<const Value> BodySource::decode(const crdt::Path& path) const {
  if (is_id(path)) return std::make_unique<const Value>(id_);
  if (path.front() == kIdField) return nullptr;
  const auto item = store::find_item(body_, path);
  if (item && item->empty()) return nullptr;
  auto value = item ? CborReader(*item).value() : Result<Value>(fail(item.error()));
  if (value) return std::make_unique<const Value>(std::move(*value));
  if (status_) status_ = fail(value.error());
  return nullptr;
}

}  // namespace fermata::query
