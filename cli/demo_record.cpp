#include "cli/demo_record.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cmath>

#include "cli/text.hpp"

namespace fermata::cli {
namespace {

// The value at quantile q of sorted numbers, by the nearest-rank rule.
double quantile(const std::vector<double>& sorted, double q) {
  const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

bool within(Nanoseconds at, Nanoseconds begin, Nanoseconds end) {
  return at >= begin && (end == 0 || at < end);
}

}  // namespace

Nanoseconds now_ns() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void DemoRecord::begin_span(const std::string& kind, Nanoseconds at) {
  end_span(kind, at);
  spans.push_back({.kind = kind, .begin = at});
}

void DemoRecord::end_span(const std::string& kind, Nanoseconds at) {
  for (auto& span : spans) {
    if (span.kind == kind && span.end == 0) span.end = at;
  }
}

const DemoAct* DemoRecord::act(const std::string& name) const {
  const auto found = std::find_if(acts.begin(), acts.end(), [&](const DemoAct& act) { return act.name == name; });
  return found == acts.end() ? nullptr : &*found;
}

ActFigures figures_of(const DemoRecord& record, const DemoAct& act) {
  ActFigures figures{.name = act.name, .title = act.title};
  std::vector<double> delays;
  for (const auto& [number, change] : record.changes) {
    if (!within(change.written, act.begin, act.end)) continue;
    ++figures.written;
    if (!change.delivered) {
      ++figures.lost;
    } else if (within(*change.delivered, act.begin, act.end)) {
      ++figures.delivered_during;
      delays.push_back(static_cast<double>(*change.delivered - change.written) / 1e6);
    }
  }
  std::sort(delays.begin(), delays.end());
  if (!delays.empty()) {
    figures.p50_ms = quantile(delays, 0.5);
    figures.p99_ms = quantile(delays, 0.99);
  }
  return figures;
}

std::size_t delivered_while_frozen(const DemoRecord& record) {
  std::size_t count = 0;
  for (const auto& span : record.spans) {
    if (span.kind != "frozen") continue;
    for (const auto& [number, change] : record.changes) {
      if (change.delivered && within(*change.delivered, span.begin, span.end)) ++count;
    }
  }
  return count;
}

std::vector<std::string> broken_promises(const DemoRecord& record) {
  std::vector<std::string> broken;
  if (const auto count = delivered_while_frozen(record); count > 0) {
    broken.push_back(counted(count, "change") + " arrived while the phone was frozen");
  }
  const bool froze =
      std::any_of(record.spans.begin(), record.spans.end(), [](const DemoSpan& s) { return s.kind == "frozen"; });
  if (!froze) broken.emplace_back("the phone was never frozen");
  for (const DemoAct& act : record.acts) {
    const ActFigures figures = figures_of(record, act);
    if (figures.written == 0) broken.push_back(fmt::format("nothing was written in act \"{}\"", act.title));
    if (figures.lost > 0)
      broken.push_back(fmt::format("act \"{}\" lost {}", act.title, counted(figures.lost, "change")));
    if (act.name == "background_with" && figures.delivered_during < figures.written) {
      broken.push_back(fmt::format("{} of {} did not arrive in the background with background sync",
                                   figures.written - figures.delivered_during, counted(figures.written, "change")));
    }
  }
  if (record.recoveries < record.interruptions || record.interruptions == 0) {
    broken.push_back(
        fmt::format("{} seen, {} recovered", counted(record.interruptions, "interruption"), record.recoveries));
  }
  return broken;
}

}  // namespace fermata::cli
