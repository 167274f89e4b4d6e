#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/demo_report.hpp"

namespace fermata::cli {
namespace {

constexpr double kWidth = 1080, kLeft = 110, kRight = 20;
constexpr double kActs = 60, kDesk = 100, kPhone = 190, kSpans = 240, kRow = 22, kHeight = 370;

struct Lane {
  const char* kind;
  const char* label;
  const char* colour;
};
constexpr std::array<Lane, 4> kLanes{{{"frozen", "frozen", "#6b8fb5"},
                                      {"playing", "silent audio", "#3f9b6c"},
                                      {"call", "phone call", "#c9563c"},
                                      {"task", "task assertion", "#c9962c"}}};

class Picture {
 public:
  explicit Picture(const DemoRecord& record) : record_(record) {
    begin_ = record.acts.front().begin;
    end_ = record.acts.back().end;
  }

  std::string draw() {
    out_ = fmt::format(
        R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" font-family="system-ui,sans-serif" font-size="13">)"
        R"(<rect width="{0}" height="{1}" fill="#ffffff"/><text x="{2}" y="26" font-size="17" fill="#222">)"
        R"(Changes made on desk, arriving on a phone whose app leaves the screen</text>)",
        kWidth, kHeight, kLeft);
    acts();
    changes();
    spans();
    out_ += "</svg>\n";
    return std::move(out_);
  }

 private:
  [[nodiscard]] double x(Nanoseconds at) const {
    if (at == 0) at = end_;
    const double part = static_cast<double>(at - begin_) / static_cast<double>(std::max<Nanoseconds>(end_ - begin_, 1));
    return kLeft + std::clamp(part, 0.0, 1.0) * (kWidth - kLeft - kRight);
  }

  void acts() {
    bool odd = false;
    for (const DemoAct& act : record_.acts) {
      const ActFigures f = figures_of(record_, act);
      out_ += fmt::format(R"(<rect x="{:.1f}" y="40" width="{:.1f}" height="{}" fill="{}"/>)", x(act.begin),
                          x(act.end) - x(act.begin), kHeight - 60, odd ? "#f1f3f6" : "#fafbfc");
      out_ += fmt::format(
          R"(<text x="{:.1f}" y="{}" fill="#444">{}</text><text x="{:.1f}" y="{}" fill="#777" font-size="11">{}/{} during</text>)",
          x(act.begin) + 4, kActs, act.title, x(act.begin) + 4, kActs + 15, f.delivered_during, f.written);
      odd = !odd;
    }
  }

  // A line from where a change was written to where it arrived: upright when live, slanted when it had to wait.
  void changes() {
    out_ += fmt::format(
        R"(<text x="10" y="{}" fill="#222">desk writes</text><text x="10" y="{}" fill="#222">phone sees</text>)",
        kDesk + 4, kPhone + 4);
    for (const auto& [number, change] : record_.changes) {
      if (change.written < begin_) continue;
      if (!change.delivered) {
        out_ += fmt::format(R"(<circle cx="{:.1f}" cy="{}" r="3" fill="#c00"/>)", x(change.written), kDesk);
        continue;
      }
      out_ += fmt::format(R"(<path d="M{:.1f} {}L{:.1f} {}" stroke="#2f6fb0" stroke-opacity=".45"/>)",
                          x(change.written), kDesk, x(*change.delivered), kPhone);
    }
  }

  void spans() {
    double y = kSpans;
    for (const Lane& lane : kLanes) {
      out_ += fmt::format(R"(<text x="10" y="{:.1f}" fill="#222">{}</text>)", y + 11, lane.label);
      for (const DemoSpan& span : record_.spans) {
        if (span.kind != lane.kind || (span.end != 0 && span.end <= begin_)) continue;
        out_ += fmt::format(R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="14" rx="2" fill="{}"/>)",
                            x(span.begin), y, std::max(x(span.end) - x(span.begin), 1.5), lane.colour);
      }
      y += kRow;
    }
    out_ += fmt::format(
        R"(<text x="{}" y="{}" fill="#777" font-size="11">catch-up {:.0f} ms, {} round trip(s); {:.0f} s shown</text>)",
        kLeft, kHeight - 6, record_.catch_up_ms, record_.catch_up_round_trips,
        static_cast<double>(end_ - begin_) / 1e9);
  }

  const DemoRecord& record_;
  Nanoseconds begin_ = 0, end_ = 0;
  std::string out_;
};

}  // namespace

std::string demo_svg(const DemoRecord& record) {
  return Picture(record).draw();
}

}  // namespace fermata::cli
