#include "query/counts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <span>

#include "query/ast.hpp"
#include "query/literals.hpp"
#include "query/matcher.hpp"

namespace fermata::query {
namespace {

__extension__ using Wide = __int128;
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

void erase_at(Map& map, std::span<const std::string> path) {
  const auto found = map.find(path.front());
  if (found == map.end()) return;
  Map* inner = found->second.if_a<Map>();
  if (path.size() > 1 && inner != nullptr) erase_at(*inner, path.subspan(1));
  if (path.size() == 1 || (inner != nullptr && inner->empty())) map.erase(found);
}

Status count_to(store::Transaction& transaction, std::string_view collection, std::string_view id,
                const crdt::Path& path, Wide left) {
  do {  // from one end of the integers to the other takes several steps; by 0, a missing counter begins
    const auto step = std::clamp(left, -Wide{kMost}, Wide{kMost});
    const auto amount = static_cast<std::int64_t>(step);
    if (auto counted = transaction.increment(collection, id, path, amount); !counted) return counted;
    left -= step;
  } while (left != 0);
  return {};
}

// The counters of a stored document and what they show.
Result<Counts> counts_of(store::Transaction& transaction, std::string_view collection, std::string_view id) {
  const auto stored = transaction.load(collection, id);
  if (!stored) return fail(stored.error());
  const Map view = stored->view();
  Counts counts;
  for (crdt::Path& path : stored->counters()) {
    const std::int64_t shown = *value_at(view, path)->if_a<std::int64_t>();
    counts.emplace(std::move(path), shown);
  }
  return counts;
}

// What has been counted in all stands still at its ends, so that counting on may lead elsewhere.
Status begin_missed_anew(store::Transaction& transaction, std::string_view collection, std::string_view id,
                         const Counts& counts) {
  const auto reached = counts_of(transaction, collection, id);
  if (!reached) return fail(reached.error());
  for (const auto& [path, number] : counts) {
    if (const auto at = reached->find(path); at != reached->end() && at->second == number) continue;
    if (auto unset = transaction.unset(collection, id, path); !unset) return unset;
    if (auto counted = count_to(transaction, collection, id, path, number); !counted) return counted;
  }
  return {};
}

}  // namespace

Result<Counts> counts_in(const DocumentRecord& record) {
  Counts counts;
  for (const FieldPath& path : record.counters) {
    if (path.size() == 1 && path.front() == kIdField) {
      return fail(ErrorCode::InvalidArgument, fmt::format("{} names the document and cannot count", kIdField));
    }
    const Value* value = path.empty() ? nullptr : value_at(record.fields, path);
    const auto* number = value == nullptr ? nullptr : value->if_a<std::int64_t>();
    if (number == nullptr) {
      return fail(ErrorCode::InvalidArgument, "the counter " + path_text(path) + " is no integer of the document");
    }
    if (*number < -kMost) {
      return fail(ErrorCode::LimitExceeded, fmt::format("the counter {} is {}, and a counter cannot be less than {}",
                                                        path_text(path), *number, -kMost));
    }
    counts.emplace(path, *number);
  }
  return counts;
}

void take_counts(Map& fields, const Counts& counts) {
  for (const auto& [path, number] : counts) erase_at(fields, path);
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
  const auto shown = counts_of(transaction, collection, id);
  if (!shown) return fail(shown.error());
  bool has_counted_on = false;
  for (const auto& [path, number] : counts) {
    const auto at = shown->find(path);
    const bool is_there = at != shown->end();
    if (is_there && at->second == number) continue;
    const std::int64_t from = is_there ? at->second : 0;
    if (auto counted = count_to(transaction, collection, id, path, Wide{number} - from); !counted) return counted;
    has_counted_on = has_counted_on || is_there;
  }
  return has_counted_on ? begin_missed_anew(transaction, collection, id, counts) : Status();
}

}  // namespace fermata::query
