// The picture of a run.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "phone/timeline.hpp"

namespace fermata::phone {
namespace {

constexpr double kLeft = 110, kWidth = 760, kTop = 34, kRow = 22, kBar = 15, kMarkRow = 13;

struct SvgKind {
  std::string_view kind, lane, label, colour;  // label: written into the bar; empty: the span's name
};

constexpr std::array<SvgKind, 12> kKinds{{{"foreground", "app", "foreground", "#8fbf8f"},
                                          {"inactive", "app", "inactive", "#c9dcb4"},
                                          {"background", "app", "background", "#d9dde3"},
                                          {"frozen", "frozen", "frozen", "#6b8fb5"},
                                          {"maintenance", "maintenance", "", "#a9c3dd"},
                                          {"playing", "plays", "audio", "#3f9b6c"},
                                          {"player", "plays", "media player", "#7dbb9a"},
                                          {"task", "tasks", "", "#c9962c"},
                                          {"call", "around it", "call", "#c9563c"},
                                          {"alarm", "around it", "alarm", "#dd8a6c"},
                                          {"airplane", "around it", "airplane", "#8a7fb5"},
                                          {"route_lost", "around it", "no route", "#b58a7f"}}};

// Events that are worth a mark, and what is written at it; empty: the event's subject.
constexpr std::array<std::pair<std::string_view, std::string_view>, 15> kMarks{
    {{"ready", "ready"},
     {"task_refused", "task refused"},
     {"task_expiring", "expiring"},
     {"delivered", ""},
     {"reclaimed", ""},
     {"lock_violation", "locks held"},
     {"media_services_reset", "server killed"},
     {"route_moved", "route moved"},
     {"route_killed", "route killed"},
     {"condition", ""},
     {"clock", "clock"},
     {"launch", "launched"},
     {"killed", "killed"},
     {"expect_failed", "failed here"},
     {"note", ""}}};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out;
}

class Picture {
 public:
  explicit Picture(const RunRecord& run) : run_(run), scale_(kWidth / std::max(1.0, run.end_ms)) {}

  std::string draw() {
    const std::vector<Span> spans = spans_of(run_);
    double y = kTop;
    for (const std::string_view lane : {"app", "frozen", "maintenance", "plays", "tasks", "around it"})
      if (draw_lane(lane, spans, y)) y += kRow;
    y = draw_marks(y);
    draw_axis(y + 6);
    const double height = y + 26;
    return fmt::format(
        R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" font-family="system-ui,sans-serif" font-size="11">)"
        "\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
        R"(<text x="10" y="20" font-size="14" fill="#222">Policy {}: {}</text>)"
        "\n{}</svg>\n",
        kLeft + kWidth + 20, height, escaped(run_.policy), escaped(outcome()), body_);
  }

 private:
  std::string outcome() const {
    if (!run_.failure.empty()) return "failed, " + run_.failure;
    return run_.code == 0 ? "passed" : fmt::format("ended with {}", run_.code);
  }

  double x(double ms) const { return kLeft + ms * scale_; }

  bool draw_lane(std::string_view lane, const std::vector<Span>& spans, double y) {
    bool used = false;
    for (const Span& span : spans) {
      const auto kind =
          std::find_if(kKinds.begin(), kKinds.end(), [&](const SvgKind& k) { return k.kind == span.kind; });
      if (kind == kKinds.end() || kind->lane != lane) continue;
      used = true;
      const std::string label = kind->label.empty() ? escaped(span.name) : std::string(kind->label);
      const double width = std::max(1.0, (span.end_ms - span.begin_ms) * scale_);
      body_ += fmt::format(
          R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{}" rx="2" fill="{}"><title>{} {:.0f} ms</title></rect>)",
          x(span.begin_ms), y, width, kBar, kind->colour, label, span.end_ms - span.begin_ms);
      if (width > 7.0 * static_cast<double>(label.size()))
        body_ +=
            fmt::format(R"(<text x="{:.1f}" y="{:.1f}" fill="#222">{}</text>)", x(span.begin_ms) + 4, y + 11.5, label);
      body_ += '\n';
    }
    if (used) body_ += fmt::format("<text x=\"10\" y=\"{:.1f}\" fill=\"#222\">{}</text>\n", y + 11.5, lane);
    return used;
  }

  // Labels stand in as many rows as they need, up to four; one that finds no place is only a tick with a title.
  double draw_marks(double y) {
    std::array<double, 4> free_from{};
    std::size_t rows = 0;
    for (const Recorded& event : run_.events) {
      const auto mark =
          std::find_if(kMarks.begin(), kMarks.end(), [&](const auto& m) { return m.first == event.name; });
      if (mark == kMarks.end()) continue;
      const std::string label = escaped(mark->second.empty() ? event.subject : mark->second);
      if (label.empty()) continue;
      const double at = x(event.t_ms);
      body_ += fmt::format(
          "<path d=\"M{0:.1f} {1:.1f}V{2:.1f}\" stroke=\"#999\" stroke-width=\".6\"><title>{3}</title></path>", at,
          kTop, y + 4, label);
      const auto row = std::find_if(free_from.begin(), free_from.end(), [&](double from) { return from <= at; });
      if (row == free_from.end()) continue;
      const auto index = static_cast<std::size_t>(row - free_from.begin());
      rows = std::max(rows, index + 1);
      *row = at + 6.5 * static_cast<double>(label.size()) + 8;
      body_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" fill=\"#555\">{}</text>\n", at,
                           y + 14 + kMarkRow * static_cast<double>(index), label);
    }
    return y + (rows > 0 ? 8 : 0) + kMarkRow * static_cast<double>(rows);
  }

  void draw_axis(double y) {
    const double rough = run_.end_ms / 6;
    double step = std::pow(10, std::floor(std::log10(std::max(1.0, rough))));
    step *= 5 * step <= rough ? 5 : 2 * step <= rough ? 2 : 1;
    for (double t = 0; t <= run_.end_ms; t += step)
      body_ += fmt::format(
          "<text x=\"{:.1f}\" y=\"{:.1f}\" fill=\"#777\" font-size=\"10\" text-anchor=\"middle\">{:g} s</text>\n", x(t),
          y + 12, t / 1000);
  }

  const RunRecord& run_;
  double scale_;
  std::string body_;
};

}  // namespace

std::string timeline_svg(const RunRecord& run) {
  return Picture(run).draw();
}

}  // namespace fermata::phone
