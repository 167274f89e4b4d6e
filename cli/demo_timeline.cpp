#include "cli/demo_timeline.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

namespace fermata::cli {
namespace {

constexpr Nanoseconds kRedrawEvery = 200'000'000;
constexpr std::size_t kLabel = 9;

std::size_t columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 40 ? size.ws_col : 80;
}

// A reader of stderr that is gone must not end the demo before it has put its things away, so nothing here throws.
void put(const std::string& text) {
  std::fputs(text.c_str(), stderr);
}

bool colourful() {
  return std::getenv("NO_COLOR") == nullptr;
}

// What one column of the phone's lane shows, the most telling first.
const char* phone_cell(const DemoRecord& record, Nanoseconds begin, Nanoseconds end) {
  const auto overlaps = [&](const char* kind) {
    return std::any_of(record.spans.begin(), record.spans.end(), [&](const DemoSpan& span) {
      return span.kind == kind && span.begin < end && (span.end == 0 || span.end > begin);
    });
  };
  if (overlaps("frozen")) return "*";
  const bool arrived = std::any_of(record.changes.begin(), record.changes.end(), [&](const auto& entry) {
    return entry.second.delivered && *entry.second.delivered >= begin && *entry.second.delivered < end;
  });
  if (overlaps("call")) return arrived ? "c" : "C";
  if (overlaps("playing")) return arrived ? "o" : ".";
  return arrived ? "|" : " ";
}

}  // namespace

DemoTimeline::DemoTimeline(const DemoRecord& record) : record_(record), live_(::isatty(STDERR_FILENO) == 1) {}

DemoTimeline::~DemoTimeline() {
  if (drawn_lines_ > 0) put("\n");
}

void DemoTimeline::event(const std::string& words) {
  last_event_ = words;
  if (!live_) put(words + "\n");
}

void DemoTimeline::refresh(Nanoseconds now) {
  if (!live_ || now - last_draw_ < kRedrawEvery) return;
  last_draw_ = now;
  const std::string text = picture(now);
  if (drawn_lines_ > 0) put(fmt::format("\r\x1b[{}A\x1b[J", drawn_lines_));
  put(text);
  drawn_lines_ = static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

std::string DemoTimeline::picture(Nanoseconds now) const {
  if (record_.acts.empty()) return last_event_ + "\n";
  const std::size_t width = columns() - kLabel - 1;
  const Nanoseconds begin = record_.acts.front().begin;
  // A column is a fifth of a second until the width is used up; then all are stretched alike.
  const Nanoseconds cell = std::max<Nanoseconds>(kRedrawEvery, (now - begin) / static_cast<Nanoseconds>(width) + 1);
  std::string acts(width, ' '), desk, phone;
  std::size_t number = 0;
  for (const DemoAct& act : record_.acts) {
    const auto at = static_cast<std::size_t>((act.begin - begin) / cell);
    const std::string title = fmt::format("{} {}", ++number, act.title);
    for (std::size_t i = 0; i < title.size() && at + i < width; ++i) acts[at + i] = title[i];
  }
  for (Nanoseconds t = begin; t < now && phone.size() < width; t += cell) {
    const bool wrote = std::any_of(record_.changes.begin(), record_.changes.end(), [&](const auto& entry) {
      return entry.second.written >= t && entry.second.written < t + cell;
    });
    desk += wrote ? "|" : " ";
    phone += phone_cell(record_, t, t + cell);
  }
  const char* bold = colourful() ? "\x1b[1m" : "";
  const char* plain = colourful() ? "\x1b[0m" : "";
  return fmt::format(
      "{}{:<{}}{}{}\n{:<{}}{}\n{:<{}}{}\n{:<{}}| arrived   o arrived while silent audio plays   c arrived during the "
      "call   * frozen\n{}\n",
      bold, "act", kLabel, acts, plain, "desk", kLabel, desk, "phone", kLabel, phone, "", kLabel,
      last_event_.substr(0, width + kLabel));
}

}  // namespace fermata::cli
