// The lanes in characters, for a terminal.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "phone/timeline.hpp"

namespace fermata::phone {
namespace {

constexpr std::size_t kLabel = 13;

struct TextLane {
  std::string_view label;
  std::vector<std::pair<std::string_view, std::string_view>> cells;  // kind and its character, later ones on top
};

const std::vector<TextLane>& text_lanes() {
  static const std::vector<TextLane> lanes{
      {"app", {{"background", "▁"}, {"inactive", "▄"}, {"foreground", "█"}}},
      {"frozen", {{"frozen", "░"}}},
      {"maintenance", {{"maintenance", "▒"}}},
      {"playing", {{"playing", "█"}}},
      {"media player", {{"player", "█"}}},
      {"tasks", {{"task", "█"}}},
      {"call, alarm", {{"alarm", "▒"}, {"call", "█"}}},
      {"airplane", {{"airplane", "█"}}},
      {"route lost", {{"route_lost", "█"}}},
  };
  return lanes;
}

}  // namespace

std::string timeline_text(const RunRecord& run, int columns) {
  const std::size_t width = static_cast<std::size_t>(std::max(columns, 40)) - kLabel;
  const std::vector<Span> spans = spans_of(run);
  const double cell = std::max(1.0, run.end_ms) / static_cast<double>(width);
  std::string text;
  for (const TextLane& lane : text_lanes()) {
    std::vector<std::string_view> row(width, " ");
    bool used = false;
    for (const auto& [kind, character] : lane.cells) {
      for (const Span& span : spans) {
        if (span.kind != kind) continue;
        used = true;
        const auto begin = std::min(width - 1, static_cast<std::size_t>(span.begin_ms / cell));
        const auto end = std::clamp(static_cast<std::size_t>(span.end_ms / cell), begin + 1, width);
        std::fill(row.begin() + static_cast<std::ptrdiff_t>(begin), row.begin() + static_cast<std::ptrdiff_t>(end),
                  character);
      }
    }
    if (!used) continue;
    text += fmt::format("{:<{}}", lane.label, kLabel);
    for (const std::string_view character : row) text += character;
    text += '\n';
  }
  const std::string end = fmt::format("{:.1f} s", run.end_ms / 1000);
  return text + fmt::format("{:<{}}0 s{:>{}}\n", "", kLabel, end, width - 3);
}

}  // namespace fermata::phone
