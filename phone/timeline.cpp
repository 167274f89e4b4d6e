#include "phone/timeline.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace fermata::phone {
namespace {

struct SpanRule {
  std::string_view kind;
  std::array<std::string_view, 3> begins;
  std::array<std::string_view, 4> ends;
  bool overlaps;  // may several be open at once?
};

constexpr std::array<SpanRule, 12> kRules{{
    {"foreground", {"start", "launch", "foreground"}, {"inactive", "background", "exit"}, false},
    {"inactive", {"inactive"}, {"foreground", "background", "exit"}, false},
    {"background", {"background"}, {"foreground", "inactive", "exit"}, false},
    {"frozen", {"frozen"}, {"thawed", "exit"}, false},
    {"maintenance", {"maintenance_begin"}, {"maintenance_end", "frozen", "foreground", "exit"}, false},
    {"playing", {"playing"}, {"not_playing", "exit"}, false},
    {"player", {"player_playing"}, {"player_not_playing", "exit"}, false},
    {"task", {"task_begin"}, {"task_end", "exit"}, true},
    {"call", {"call_begin"}, {"call_end"}, true},
    {"alarm", {"alarm_begin"}, {"alarm_end"}, true},
    {"airplane", {"airplane_begin"}, {"airplane_end"}, false},
    {"route_lost", {"route_lost"}, {"route_back", "audio_lost"}, false},
}};

// A program's end ends all that was open of this kind; any other end, the oldest with its name.
void apply(const SpanRule& rule, const Recorded& event, double now_ms, std::vector<Span>& open,
           std::vector<Span>& done) {
  const auto named = [&](const std::string_view name) { return !name.empty() && name == event.name; };
  if (std::any_of(rule.ends.begin(), rule.ends.end(), named)) {
    for (auto span = open.begin(); span != open.end();) {
      const bool ends =
          span->kind == rule.kind && (event.name == "exit" || span->name == event.subject || rule.kind != "task");
      if (!ends) {
        ++span;
        continue;
      }
      span->end_ms = now_ms;
      done.push_back(std::move(*span));
      span = open.erase(span);
      if (rule.overlaps && event.name != "exit") break;
    }
  }
  if (!std::any_of(rule.begins.begin(), rule.begins.end(), named)) return;
  const bool is_open = std::any_of(open.begin(), open.end(), [&](const Span& span) { return span.kind == rule.kind; });
  if (is_open && !rule.overlaps) return;
  open.push_back({std::string(rule.kind), rule.kind == "task" ? event.subject : "", now_ms, now_ms});
}

}  // namespace

std::vector<Span> spans_of(const RunRecord& run) {
  std::vector<Span> open, done;
  for (const Recorded& event : run.events)
    for (const SpanRule& rule : kRules) apply(rule, event, event.t_ms, open, done);
  for (Span& span : open) {
    span.end_ms = std::max(span.begin_ms, run.end_ms);
    done.push_back(std::move(span));
  }
  std::stable_sort(done.begin(), done.end(), [](const Span& a, const Span& b) {
    return a.begin_ms != b.begin_ms ? a.begin_ms < b.begin_ms : a.end_ms > b.end_ms;
  });
  return done;
}

std::string timeline_json(const RunRecord& run) {
  std::vector<std::string> spans, events;
  for (const Span& span : spans_of(run)) {
    const std::string name = span.name.empty() ? "" : fmt::format(R"(,"name":{})", json_string(span.name));
    spans.push_back(fmt::format(R"({{"kind":{}{},"begin_ms":{:.3f},"end_ms":{:.3f}}})", json_string(span.kind), name,
                                span.begin_ms, span.end_ms));
  }
  for (const Recorded& event : run.events)
    events.push_back(
        fmt::format(R"({{"t_ms":{:.3f},"event":{}{}}})", event.t_ms, json_string(event.name), event.fields));
  return fmt::format(
      "{{\"policy\":{},\"seed\":{},\"time_scale\":{},\"means\":{},\n\"spans\":[\n{}],\n\"events\":[\n{}],\n"
      "\"result\":{{\"code\":{},\"passed\":{},\"failure\":{}}}}}\n",
      json_string(run.policy), run.seed, run.time_scale, run.means_json, fmt::join(spans, ",\n"),
      fmt::join(events, ",\n"), run.code, run.code == 0, json_string(run.failure));
}

}  // namespace fermata::phone
