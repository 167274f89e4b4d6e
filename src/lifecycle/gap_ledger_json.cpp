// The ledger as text.
#include <fermata/value.hpp>

#include "lifecycle/gap_ledger.hpp"

namespace fermata::lifecycle {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kLongest = 100LL * 365 * 24 * 3600 * 1000;  // a century; beyond is damage

// A number in range, or nothing. Damage must not reach arithmetic.
std::optional<std::int64_t> number_at(const Map& map, std::string_view key) {
  const Value* value = find_path(map, key);
  const auto* number = value ? value->if_a<std::int64_t>() : nullptr;
  return number && *number >= 0 && *number <= kLongest ? std::optional(*number) : std::nullopt;
}

std::optional<milliseconds> length_at(const Map& map, std::string_view key) {
  const auto number = number_at(map, key);
  return number ? std::optional(milliseconds(*number)) : std::nullopt;
}

std::optional<GapCause> cause_named(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(GapCause::Ended); ++i) {
    if (const auto cause = static_cast<GapCause>(i); name_of(cause) == name) {
      return cause;
    }
  }
  return std::nullopt;
}

Value to_value(const Gap& gap) {
  Map map{{"begin", gap.begin.time_since_epoch().count()}, {"cause", name_of(gap.cause)}};
  if (gap.length) {
    map["length"] = gap.length->count();
  }
  if (gap.changes_unsent > 0) {
    map["unsent"] = static_cast<std::int64_t>(gap.changes_unsent);
  }
  if (gap.changes_missed > 0) {
    map["missed"] = static_cast<std::int64_t>(gap.changes_missed);
  }
  if (gap.catch_up) {
    map["catch_up"] = gap.catch_up->count();
  }
  return map;
}

std::optional<Gap> to_gap(const Value& value) {
  const Map* map = value.if_a<Map>();
  const auto begin = map ? number_at(*map, "begin") : std::nullopt;
  const Value* name = map ? find_path(*map, "cause") : nullptr;
  const auto* text = name ? name->if_a<std::string>() : nullptr;
  const auto cause = text ? cause_named(*text) : std::nullopt;
  if (!begin || !cause || (map->contains("length") && !length_at(*map, "length"))) {
    return std::nullopt;
  }
  return Gap{.begin = Gap::Wall(milliseconds(*begin)),
             .length = length_at(*map, "length"),
             .cause = *cause,
             .changes_unsent = static_cast<std::uint64_t>(number_at(*map, "unsent").value_or(0)),
             .changes_missed = static_cast<std::uint64_t>(number_at(*map, "missed").value_or(0)),
             .catch_up = length_at(*map, "catch_up")};
}

// See decode(): what an open gap becomes in the next process.
void cut_short(Gap& gap, Gap::Wall now) {
  if (gap.cause == GapCause::NoPeers) {
    gap.length = std::chrono::duration_cast<milliseconds>(GapLedger::kAlone);
  } else {
    gap.length = std::max(now - gap.begin, milliseconds(0));
    gap.cause = GapCause::Ended;
  }
}

}  // namespace

std::string GapLedger::encode() const {
  Array gaps;
  for (const Gap& gap : gaps_) {
    gaps.push_back(to_value(gap));
  }
  return to_json(Map{{"gaps", std::move(gaps)}});
}

std::vector<Gap> gaps_in(std::string_view json) {
  std::vector<Gap> found;
  const auto value = from_json(json);
  const Map* map = value ? value->if_a<Map>() : nullptr;
  const Value* gaps = map ? find_path(*map, "gaps") : nullptr;
  const Array* array = gaps ? gaps->if_a<Array>() : nullptr;
  if (!array) {
    return found;
  }
  for (const Value& each : *array) {
    if (auto gap = to_gap(each)) {
      found.push_back(*gap);
    }
  }
  return found;
}

GapLedger GapLedger::decode(std::string_view json, Gap::Wall now) {
  GapLedger ledger;
  for (Gap& gap : gaps_in(json)) {
    if (!gap.length) {
      cut_short(gap, now);
    }
    ledger.add(gap);
  }
  return ledger;
}

}  // namespace fermata::lifecycle
