#include "phone/events.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

namespace fermata::phone {

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::int64_t boottime_ns() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

Event::Event(std::string name, std::string words) : name_(std::move(name)), words_(std::move(words)) {}

Event& Event::with(std::string_view key, std::string_view text) {
  if (key == "name" || key == "text") subject_ = text;
  if (key == "value") subject_ += fmt::format(" {}", text);
  return with_json(key, json_string(text));
}

Event& Event::with(std::string_view key, std::int64_t number) {
  return with_json(key, fmt::format("{}", number));
}

Event& Event::about(std::string_view subject) {
  subject_ = subject;
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
  return EventLog(file, voice);
}

double EventLog::elapsed_ms() const {
  return static_cast<double>(boottime_ns() - start_ns_) / 1e6;
}

void EventLog::write(const Event& event) {
  constexpr std::size_t kMostRecorded = 100'000;
  const std::int64_t now = boottime_ns();
  if (recorded_.size() < kMostRecorded)
    recorded_.push_back({static_cast<double>(now - start_ns_) / 1e6, event.name(), event.subject(), event.fields()});
  if (file_) {
    const std::string line = event.json(now) + '\n';
    std::fwrite(line.data(), 1, line.size(), file_.get());
    std::fflush(file_.get());
  }
  if (!event.words().empty()) say(event.words());
}

void EventLog::say(std::string_view words) {
  if (voice_ == Voice::Quiet) return;
  fmt::print(stderr, "phone {:8.3f} s  {}\n", static_cast<double>(boottime_ns() - start_ns_) / 1e9, words);
}

}  // namespace fermata::phone
