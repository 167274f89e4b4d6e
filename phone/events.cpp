#include "phone/events.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

namespace fermata::phone {
namespace {

unsigned byte_of(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

// Of the UTF-8 sequence that the text begins with; 0: it begins with none.
std::size_t sequence_length(std::string_view text) {
  const unsigned first = byte_of(text, 0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  // No overlong form, no surrogate, nothing above U+10FFFF: all of that shows in the first two bytes.
  const unsigned lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (first < 0xC2 || first > 0xF4 || byte_of(text, 1) < lowest || byte_of(text, 1) > highest) return 0;
  for (std::size_t i = 2; i < length; ++i)
    if ((byte_of(text, i) & 0xC0U) != 0x80) return 0;
  return length;
}

// Those of ASCII and of Latin-1: terminals obey both.
bool is_control(std::string_view sequence) {
  const unsigned first = byte_of(sequence, 0);
  return first < 0x20 || first == 0x7F || (first == 0xC2 && byte_of(sequence, 1) < 0xA0);
}

// The sequences of a text, one after the other; empty for a byte that belongs to none.
template <class Visit>
void for_each_sequence(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    visit(text.substr(0, length));
    text.remove_prefix(length > 0 ? length : 1);
  }
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for_each_sequence(text, [&](std::string_view sequence) {
    if (sequence.empty()) {
      out += "\\ufffd";
    } else if (sequence == "\"" || sequence == "\\") {
      out += '\\';
      out += sequence;
    } else if (byte_of(sequence, 0) < 0x20) {
      out += fmt::format("\\u{:04x}", byte_of(sequence, 0));
    } else {
      out += sequence;
    }
  });
  return out + '"';
}

std::string printable(std::string_view text) {
  std::string out;
  for_each_sequence(text, [&](std::string_view sequence) {
    out += sequence.empty() || is_control(sequence) ? std::string_view("\xEF\xBF\xBD") : sequence;
  });
  return out;
}

std::int64_t boottime_ns() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void say_on_stderr(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
}

Event::Event(std::string name, std::string words) : name_(std::move(name)), words_(std::move(words)) {}

Event& Event::with(std::string_view key, std::string_view text) {
  if (key == "name" || key == "text") subject_ = printable(text);
  if (key == "value") subject_ += fmt::format(" {}", printable(text));
  return with_json(key, json_string(text));
}

Event& Event::with(std::string_view key, std::int64_t number) {
  return with_json(key, fmt::format("{}", number));
}

Event& Event::about(std::string_view subject) {
  subject_ = printable(subject);
  return *this;
}

Event& Event::with_json(std::string_view key, std::string_view json) {
  fields_ += fmt::format(",{}:{}", json_string(key), json);
  return *this;
}

std::string Event::json(std::int64_t t_ns) const {
  return fmt::format("{{\"t_ns\":{},\"event\":{}{}}}", t_ns, json_string(name_), fields_);
}

Result<EventLog> EventLog::open(const std::optional<std::string>& path, Voice voice) {
  std::FILE* file = nullptr;
  if (path) {
    file = std::fopen(path->c_str(), "we");
    if (!file)
      return fail(ErrorCode::Io, fmt::format("cannot write the events file {}: {}", *path, std::strerror(errno)));
  }
  return EventLog(file, path.value_or(""), voice);
}

double EventLog::elapsed_ms() const {
  return static_cast<double>(boottime_ns() - start_ns_) / 1e6;
}

void EventLog::write(const Event& event) {
  constexpr std::size_t kMostRecorded = 100'000;
  const std::int64_t now = boottime_ns();
  if (recorded_.size() < kMostRecorded)
    recorded_.push_back({static_cast<double>(now - start_ns_) / 1e6, event.name(), event.subject(), event.fields()});
  if (file_ && error_ == 0) {
    const std::string line = event.json(now) + '\n';
    const bool whole = std::fwrite(line.data(), 1, line.size(), file_.get()) == line.size();
    if (!whole || std::fflush(file_.get()) != 0) error_ = errno;
  }
  if (!event.words().empty()) say(event.words());
}

void EventLog::say(std::string_view words) {
  if (voice_ == Voice::Quiet) return;
  say_on_stderr(
      fmt::format("phone {:8.3f} s  {}\n", static_cast<double>(boottime_ns() - start_ns_) / 1e9, printable(words)));
}

Status EventLog::written() const {
  if (error_ == 0) return {};
  return fail(ErrorCode::Io, fmt::format("cannot write the events file {}: {}", path_, std::strerror(error_)));
}

}  // namespace fermata::phone
