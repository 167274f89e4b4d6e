#include "cli/terminal.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "cli/text.hpp"

namespace fermata::cli {
namespace {

constexpr std::size_t kFlushAt = 1 << 16;
constexpr int kBarWidth = 30;
// A syntax error shows its statement with a caret below; a statement is the user's own, and may have tabs and lines.
constexpr std::string_view kLayout = "\n\t";

// One write per message, so that lines of several threads do not mix. What cannot be said is lost: there is no better
// place to complain than stderr.
void write_words(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

bool colour_on_stderr() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  if (no_color != nullptr && *no_color != '\0') return false;
  if (term != nullptr && std::string_view(term) == "dumb") return false;
  return ::isatty(STDERR_FILENO) == 1;
}

std::int64_t steady_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

void say(std::string_view message) {
  write_words(fmt::format("fermata: {}\n", printable(message)));
}

void say_error(const Error& error) {
  const std::string_view prefix = colour_on_stderr() ? "\033[1;31mfermata:\033[0m" : "fermata:";
  write_words(fmt::format("{} {}\n", prefix, printable(error.message, kLayout)));
}

Status Output::json(const Value& value) {
  return line(printable_json(to_json(value)));
}

Status Output::line(std::string_view text) {
  buffer_ += text;
  buffer_ += '\n';
  return buffer_.size() >= kFlushAt ? flush() : Status();
}

Status Output::write(std::string_view text) {
  buffer_ += text;
  return buffer_.size() >= kFlushAt ? flush() : Status();
}

Status Output::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t n = ::write(fd_, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error = errno;
      buffer_.clear();
      if (error == EPIPE) return fail(ErrorCode::Closed, "");
      if (error == EBADF) return fail(ErrorCode::Io, "cannot write the output: it is closed");
      const ErrorCode code = error == ENOSPC || error == EDQUOT ? ErrorCode::NoSpace : ErrorCode::Io;
      return fail(code, fmt::format("cannot write the output: {}", std::strerror(error)));
    }
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  buffer_.clear();
  return {};
}

Status finish_file(NewFile& file, std::string_view text) {
  Output output(file.fd());
  if (auto written = output.write(text); !written) return written;
  if (auto flushed = output.flush(); !flushed) return flushed;
  return file.commit();
}

ProgressBar::ProgressBar(std::string label) : label_(std::move(label)), enabled_(::isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
  draw("");
}

void ProgressBar::update(std::uint64_t done, std::uint64_t total) {
  if (!enabled_ || (steady_ms() - last_draw_ms_ < 100 && done < total)) return;
  last_draw_ms_ = steady_ms();
  const std::uint64_t shown = total == 0 ? 1 : total;
  const auto filled = static_cast<int>(std::min(done, shown) * kBarWidth / shown);
  draw(fmt::format("{} [{:#<{}}{:.<{}}] {:3}% {}/{}", label_, "", filled, "", kBarWidth - filled,
                   std::min(done, shown) * 100 / shown, done, total));
}

void ProgressBar::note(std::string_view text) {
  draw(fmt::format("{} {}", label_, printable(text)));
}

void ProgressBar::draw(std::string_view text) {
  if (enabled_) write_words(fmt::format("\r\033[K{}", text));
}

}  // namespace fermata::cli
