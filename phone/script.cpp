#include "phone/script.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <utility>

namespace fermata::phone {
namespace {

constexpr std::string_view kBlank = " \t\r";

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
    const std::string_view word = text.substr(0, text.find_first_of(kBlank));
    if (word.front() == '#') break;
    words.push_back(word);
    text.remove_prefix(word.size());
  }
  return words;
}

std::optional<Expected> expected_of(std::string_view word) {
  if (word == "frozen") return Expected::Frozen;
  if (word == "running") return Expected::Running;
  if (word == "playing") return Expected::Playing;
  if (word == "ended") return Expected::Ended;
  return std::nullopt;
}

struct Verb {
  std::string_view name;
  Command command;
  std::size_t arguments;
  std::string_view usage;
};

constexpr std::array kVerbs{
    Verb{"wait", Command::Wait, 1, "wait 3s"},
    Verb{"background", Command::Background, 0, "background"},
    Verb{"foreground", Command::Foreground, 0, "foreground"},
    Verb{"call", Command::Call, 1, "call 8s"},
    Verb{"wait-call", Command::WaitCall, 0, "wait-call"},
    Verb{"quit", Command::Quit, 0, "quit"},
    Verb{"expect", Command::Expect, 3, "expect frozen|running|playing|ended within 3s"},
};

tl::unexpected<Error> wrong(std::string_view text, int line, std::string_view usage) {
  return fail(ErrorCode::Syntax, fmt::format("script line {}: cannot read \"{}\"; write: {}", line, text, usage));
}

}  // namespace

Result<Millis> parse_duration(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const double factor = unit == "ms" ? 1 : unit == "s" ? 1000 : unit == "min" ? 60'000 : 0;
  constexpr double kLongest = 7.0 * 24 * 3600 * 1000;
  if (error != std::errc() || factor == 0 || !(number >= 0 && number * factor <= kLongest))
    return fail(ErrorCode::Syntax, fmt::format("{} is no duration; write 3s, 500ms or 2min", text));
  return Millis(std::llround(number * factor));
}

Result<std::optional<Step>> parse_script_line(std::string_view text, int line) {
  const std::vector<std::string_view> words = words_of(text);
  if (words.empty()) return std::nullopt;
  Step step;
  step.line = line;
  step.text = std::string(trimmed(text));
  if (words[0] == "note") {
    step.text = std::string(trimmed(trimmed(text).substr(4)));
    return step;
  }
  for (const Verb& verb : kVerbs) {
    if (verb.name != words[0]) continue;
    if (words.size() != verb.arguments + 1) return wrong(step.text, line, verb.usage);
    step.command = verb.command;
    if (verb.command == Command::Expect) {
      const auto expected = expected_of(words[1]);
      if (!expected || words[2] != "within") return wrong(step.text, line, verb.usage);
      step.expected = *expected;
    }
    if (verb.arguments > 0) {
      const auto duration = parse_duration(words.back());
      if (!duration) return wrong(step.text, line, verb.usage);
      step.duration = *duration;
    }
    return step;
  }
  return wrong(step.text, line, "wait, background, foreground, call, wait-call, expect, note or quit");
}

Result<std::vector<Step>> load_script(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(ErrorCode::NotFound, fmt::format("cannot read the script {}: {}", path, std::strerror(errno)));
  std::vector<Step> steps;
  std::string text;
  for (int line = 1; std::getline(file, text); ++line) {
    auto step = parse_script_line(text, line);
    if (!step) return fail(std::move(step.error()));
    if (*step) steps.push_back(std::move(**step));
  }
  if (file.bad()) return fail(ErrorCode::Io, fmt::format("cannot read the script {}: {}", path, std::strerror(errno)));
  return steps;
}

}  // namespace fermata::phone
