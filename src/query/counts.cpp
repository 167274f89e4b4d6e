#include "query/counts.hpp"

#include <algorithm>
#include <limits>
#include <span>

#include "query/literals.hpp"
#include "query/matcher.hpp"

namespace fermata::query {
namespace {

__extension__ using Wide = __int128;

void erase_at(Map& map, std::span<const std::string> path) {
  const auto found = map.find(path.front());
  if (found == map.end()) return;
  Map* inner = found->second.if_a<Map>();
  if (path.size() > 1 && inner != nullptr) erase_at(*inner, path.subspan(1));
  if (path.size() == 1 || (inner != nullptr && inner->empty())) map.erase(found);
}

Status count_to(store::Transaction& transaction, std::string_view collection, std::string_view id,
                const crdt::Path& path, Wide left) {
  constexpr Wide kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr Wide kMost = std::numeric_limits<std::int64_t>::max();
  do {  // from one end of the integers to the other takes several steps; by 0, a missing counter begins
    const auto step = std::clamp(left, kLeast, kMost);
    const auto amount = static_cast<std::int64_t>(step);
    if (auto counted = transaction.increment(collection, id, path, amount); !counted) return counted;
    left -= step;
  } while (left != 0);
  return {};
}

}  // namespace

Result<Counts> take_counts(DocumentRecord& record) {
  Counts counts;
  for (const FieldPath& path : record.counters) {
    const Value* value = path.empty() ? nullptr : value_at(record.fields, path);
    const auto* number = value == nullptr ? nullptr : value->if_a<std::int64_t>();
    if (number == nullptr) {
      std::string name;
      write_path(name, path);
      return fail(ErrorCode::InvalidArgument, "the counter " + name + " is no integer of the document");
    }
    counts.emplace(path, *number);
  }
  for (const auto& [path, number] : counts) erase_at(record.fields, path);
  return counts;
}

void hide_counts(Map& view, const crdt::Document& stored, const Counts& counts) {
  if (counts.empty()) return;
  for (const crdt::Path& path : stored.counters()) {
    if (counts.contains(path)) erase_at(view, path);
  }
}

Status write_counts(store::Transaction& transaction, std::string_view collection, std::string_view id,
                    const Counts& counts) {
  if (counts.empty()) return {};
  const auto stored = transaction.load(collection, id);
  if (!stored) return fail(stored.error());
  const Map view = stored->view();
  const std::vector<crdt::Path> counters = stored->counters();
  for (const auto& [path, number] : counts) {
    const bool is_there = std::find(counters.begin(), counters.end(), path) != counters.end();
    const std::int64_t shown = is_there ? *value_at(view, path)->if_a<std::int64_t>() : 0;
    if (is_there && shown == number) continue;
    if (auto counted = count_to(transaction, collection, id, path, Wide{number} - shown); !counted) return counted;
  }
  return {};
}

}  // namespace fermata::query
