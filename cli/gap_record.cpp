#include "cli/gap_record.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>

#include "cli/text.hpp"

namespace fermata::cli {
namespace {

std::optional<std::int64_t> number_of(const Map& gap, std::string_view key) {
  const auto found = gap.find(key);
  const auto* number = found == gap.end() ? nullptr : found->second.if_a<std::int64_t>();
  return number == nullptr ? std::nullopt : std::optional(*number);
}

std::string cause_of(const Map& gap) {
  const auto found = gap.find("cause");
  const auto* text = found == gap.end() ? nullptr : found->second.if_a<std::string>();
  return text == nullptr ? "?" : printable(*text);
}

std::string duration_text(std::int64_t ms) {
  if (ms < 1000) return fmt::format("{} ms", ms);
  if (ms < 120'000) return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
  if (ms < 7'200'000) return fmt::format("{:.1f} min", static_cast<double>(ms) / 60'000);
  return fmt::format("{:.1f} h", static_cast<double>(ms) / 3'600'000);
}

std::string time_text(std::int64_t ms) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::localtime(static_cast<std::time_t>(ms / 1000)));
}

std::string row(const Map& gap) {
  const auto length = number_of(gap, "length_ms");
  const auto catch_up = number_of(gap, "catch_up_ms");
  return fmt::format("{:<20} {:>10}  {:<12} {:>8} {:>8} {:>10}\n", time_text(number_of(gap, "begin_ms").value_or(0)),
                     length ? duration_text(*length) : "lasting", cause_of(gap),
                     number_of(gap, "changes_unsent").value_or(0), number_of(gap, "changes_missed").value_or(0),
                     catch_up ? duration_text(*catch_up) : "-");
}

struct Lane {
  std::size_t gaps = 0;
  std::size_t lasting = 0;
  std::int64_t total_ms = 0;  // of those that are over
};

std::int64_t now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

// One that lasts has lasted until now.
std::int64_t end_of(const Map& gap) {
  const std::int64_t begin = number_of(gap, "begin_ms").value_or(0);
  const auto length = number_of(gap, "length_ms");
  return length ? begin + *length : std::max(begin, now_ms());
}

std::map<std::string, Lane> by_cause(const Array& gaps) {
  std::map<std::string, Lane> lanes;
  for (const Value& each : gaps) {
    const Map* gap = each.if_a<Map>();
    if (gap == nullptr) continue;
    Lane& lane = lanes[cause_of(*gap)];
    ++lane.gaps;
    if (!number_of(*gap, "length_ms")) ++lane.lasting;
    lane.total_ms += number_of(*gap, "length_ms").value_or(0);
  }
  return lanes;
}

// Where the picture's time begins and ends.
std::pair<std::int64_t, std::int64_t> span_of(const Array& gaps) {
  std::optional<std::int64_t> begin, end;
  for (const Value& each : gaps) {
    const Map* gap = each.if_a<Map>();
    if (gap == nullptr) continue;
    begin = std::min(begin.value_or(INT64_MAX), number_of(*gap, "begin_ms").value_or(0));
    end = std::max(end.value_or(INT64_MIN), end_of(*gap));
  }
  const std::int64_t from = begin.value_or(0);
  return {from, std::max(end.value_or(from), from + 1)};
}

Map gap_map(const Gap& gap) {
  Map map{{"begin_ms", static_cast<std::int64_t>(gap.begin.time_since_epoch().count())},
          {"length_ms", Value()},
          {"cause", name_of(gap.cause)},
          {"changes_unsent", static_cast<std::int64_t>(gap.changes_unsent)},
          {"changes_missed", static_cast<std::int64_t>(gap.changes_missed)},
          {"catch_up_ms", Value()}};
  if (gap.length) map["length_ms"] = static_cast<std::int64_t>(gap.length->count());
  if (gap.catch_up) map["catch_up_ms"] = static_cast<std::int64_t>(gap.catch_up->count());
  return map;
}

}  // namespace

Result<Map> gaps_of(Database& database) {
  auto gaps = recorded_gaps(database);
  if (!gaps) return fail(gaps.error());
  Array list;
  for (const Gap& gap : *gaps) list.push_back(gap_map(gap));
  return Map{{"gaps", std::move(list)}};
}

std::string gaps_table(const Array& gaps) {
  if (gaps.empty()) return "no gaps: sync ran whenever it was wanted\n";
  std::string text = fmt::format("{:<20} {:>10}  {:<12} {:>8} {:>8} {:>10}\n", "began", "lasted", "cause", "unsent",
                                 "missed", "catch-up");
  for (const Value& each : gaps) {
    if (const Map* gap = each.if_a<Map>()) text += row(*gap);
  }
  text += '\n';
  for (const auto& [cause, lane] : by_cause(gaps))
    text += fmt::format("{:<12} {:>10}, {} in all{}\n", cause, counted(lane.gaps, "gap"), duration_text(lane.total_ms),
                        lane.lasting > 0 ? ", and one that lasts" : "");
  return text;
}

std::string gaps_svg(const Array& gaps) {
  constexpr double kWidth = 1080, kLeft = 120, kRow = 26, kTop = 60;
  const auto lanes = by_cause(gaps);
  const auto [from, to] = span_of(gaps);
  const double height = kTop + kRow * static_cast<double>(lanes.size()) + 40;
  const auto x = [&, begin = from, end = to](std::int64_t at) {
    return kLeft + static_cast<double>(at - begin) / static_cast<double>(end - begin) * (kWidth - kLeft - 20);
  };
  std::string out = fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" font-family="system-ui,sans-serif" font-size="13">)"
      R"(<rect width="{0}" height="{1}" fill="#ffffff"/><text x="{2}" y="26" font-size="17" fill="#222">)"
      R"(When sync did not run</text><text x="{2}" y="46" fill="#777">{3}</text>)",
      kWidth, height, kLeft, gaps.empty() ? "no gaps" : fmt::format("{} to {}", time_text(from), time_text(to)));
  double y = kTop;
  for (const auto& [cause, lane] : lanes) {
    out += fmt::format(R"(<text x="10" y="{:.0f}" fill="#444">{}</text>)", y + 16, cause);
    out += fmt::format(R"(<rect x="{}" y="{:.0f}" width="{}" height="18" fill="#eef4ee"/>)", kLeft, y + 3,
                       kWidth - kLeft - 20);
    for (const Value& each : gaps) {
      const Map* gap = each.if_a<Map>();
      if (gap == nullptr || cause_of(*gap) != cause) continue;
      const std::int64_t begin = number_of(*gap, "begin_ms").value_or(0);
      const std::int64_t end = end_of(*gap);
      out += fmt::format(
          R"(<rect x="{:.1f}" y="{:.0f}" width="{:.1f}" height="18" fill="#c9563c"><title>{}, {}</title></rect>)",
          x(begin), y + 3, std::max(1.5, x(end) - x(begin)), time_text(begin),
          number_of(*gap, "length_ms") ? duration_text(end - begin) : "lasting");
    }
    y += kRow;
  }
  return out + "</svg>\n";
}

}  // namespace fermata::cli
