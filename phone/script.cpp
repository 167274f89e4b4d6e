#include "phone/script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <initializer_list>
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

using Words = std::vector<std::string_view>;  // of a line, the command in front

bool read_duration(std::string_view word, Step& step) {
  const auto duration = parse_duration(word);
  if (duration) step.duration = *duration;
  return duration.has_value();
}

bool nothing_more(const Words& words, Step&) {
  return words.size() == 1;
}

bool one_duration(const Words& words, Step& step) {
  return words.size() == 2 && read_duration(words[1], step);
}

// "+1h", "-1h"
bool one_jump(const Words& words, Step& step) {
  if (words.size() != 2 || (words[1][0] != '+' && words[1][0] != '-')) return false;
  if (!read_duration(words[1].substr(1), step)) return false;
  if (words[1][0] == '-') step.duration = -step.duration;
  return true;
}

bool one_of(const Words& words, std::initializer_list<std::string_view> choices) {
  return words.size() == 2 && std::find(choices.begin(), choices.end(), words[1]) != choices.end();
}

bool one_route(const Words& words, Step& step) {
  if (!one_of(words, {"lost", "back", "moved", "killed"})) return false;
  step.name = words[1];
  return true;
}

bool one_number(std::string_view word, int least, int most, int& out) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), out);
  return error == std::errc() && end == word.data() + word.size() && out >= least && out <= most;
}

bool on_or_off(const Words& words, Step& step) {
  if (!one_of(words, {"on", "off"})) return false;
  step.name = words[0] == "low-power" ? "low_power" : std::string(words[0]);
  step.value = words[1];
  return true;
}

bool battery(const Words& words, Step& step) {
  int percent = 0;
  if (words.size() != 2 || (words[1] != "mains" && !one_number(words[1], 0, 100, percent))) return false;
  step.name = "battery";
  step.value = words[1];
  return true;
}

bool media_services(const Words& words, Step&) {
  return one_of(words, {"reset"});
}

bool repeat(const Words& words, Step& step) {
  constexpr int kMost = 10'000;
  return words.size() == 2 && one_number(words[1], 1, kMost, step.times);
}

bool expectation(const Words& words, Step& step) {
  constexpr std::array<std::pair<std::string_view, Expected>, 4> kStates{{{"frozen", Expected::Frozen},
                                                                          {"running", Expected::Running},
                                                                          {"playing", Expected::Playing},
                                                                          {"ended", Expected::Ended}}};
  if (words.size() == 2 && words[1] == "no-locks") {
    step.expected = Expected::NoLocks;
    return true;
  }
  if (words.size() < 4 || words[words.size() - 2] != "within" || !read_duration(words.back(), step)) return false;
  if (words.size() == 5 && words[1] == "delivered") {
    step.expected = Expected::Delivered;
    step.name = words[2];
    return true;
  }
  for (const auto& [name, expected] : kStates) {
    if (words[1] != name) continue;
    step.expected = expected;
    return words.size() == 4;
  }
  return false;
}

struct Verb {
  std::string_view name;
  Command command;
  bool (*read)(const Words&, Step&);
  std::string_view usage;
};

constexpr std::array kVerbs{
    Verb{"wait", Command::Wait, one_duration, "wait 3s"},
    Verb{"background", Command::Background, nothing_more, "background"},
    Verb{"inactive", Command::Inactive, nothing_more, "inactive"},
    Verb{"foreground", Command::Foreground, nothing_more, "foreground"},
    Verb{"lock", Command::Lock, nothing_more, "lock"},
    Verb{"unlock", Command::Unlock, nothing_more, "unlock"},
    Verb{"call", Command::Call, one_duration, "call 8s"},
    Verb{"alarm", Command::Alarm, one_duration, "alarm 3s"},
    Verb{"wait-call", Command::WaitCall, nothing_more, "wait-call"},
    Verb{"route", Command::Route, one_route, "route lost|back|moved|killed"},
    Verb{"media-services", Command::MediaServicesReset, media_services, "media-services reset"},
    Verb{"low-power", Command::Condition, on_or_off, "low-power on|off"},
    Verb{"metered", Command::Condition, on_or_off, "metered on|off"},
    Verb{"battery", Command::Condition, battery, "battery 20 (percent) or battery mains"},
    Verb{"airplane", Command::Airplane, one_duration, "airplane 10s"},
    Verb{"kill", Command::Kill, nothing_more, "kill"},
    Verb{"launch", Command::Launch, nothing_more, "launch"},
    Verb{"clock", Command::Clock, one_jump, "clock +1h or clock -1h"},
    Verb{"quit", Command::Quit, nothing_more, "quit"},
    Verb{"repeat", Command::Repeat, repeat, "repeat 10 (1 to 10000; closed by a line \"end\")"},
    Verb{"end", Command::End, nothing_more, "end"},
    Verb{"expect", Command::Expect, expectation,
         "expect frozen|running|playing|ended within 3s, expect delivered NAME within 3s, or expect no-locks"},
};

tl::unexpected<Error> wrong(std::string_view text, int line, std::string_view usage) {
  return fail(ErrorCode::Syntax, fmt::format("script line {}: cannot read \"{}\"; write: {}", line, text, usage));
}

std::string every_verb() {
  std::string names;
  for (const Verb& verb : kVerbs) names += fmt::format("{}, ", verb.name);
  return names + "or note";
}

}  // namespace

Result<Millis> parse_duration(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const double factor = unit == "ms" ? 1 : unit == "s" ? 1000 : unit == "min" ? 60'000 : unit == "h" ? 3'600'000 : 0;
  constexpr double kLongest = 7.0 * 24 * 3600 * 1000;
  if (error != std::errc() || factor == 0 || !(number >= 0 && number * factor <= kLongest))
    return fail(ErrorCode::Syntax, fmt::format("{} is no duration; write 3s, 500ms, 2min or 1h", text));
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
    step.command = verb.command;
    if (!verb.read(words, step)) return wrong(step.text, line, verb.usage);
    return step;
  }
  return wrong(step.text, line, every_verb());
}

Result<std::vector<Step>> ScriptReader::read(std::string_view line) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (line_ == 0 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  auto parsed = parse_script_line(line, ++line_);
  if (!parsed) return fail(std::move(parsed.error()));
  std::vector<Step> ready;
  if (!*parsed) return ready;
  Step& step = **parsed;
  if (step.command == Command::End) return close_block(step);
  if (step.command == Command::Repeat) {
    open_.push_back({std::move(step), {}});
    return ready;
  }
  (open_.empty() ? ready : open_.back().steps).push_back(std::move(step));
  return ready;
}

Result<std::vector<Step>> ScriptReader::close_block(const Step& end) {
  constexpr std::size_t kMostSteps = 100'000;
  if (open_.empty())
    return fail(ErrorCode::Syntax, fmt::format("script line {}: this end closes no repeat; remove it", end.line));
  const Block block = std::move(open_.back());
  open_.pop_back();
  if (block.steps.size() * static_cast<std::size_t>(block.repeat.times) > kMostSteps)
    return fail(ErrorCode::Syntax,
                fmt::format("script line {}: the block makes more than {} steps; repeat it less often",
                            block.repeat.line, kMostSteps));
  std::vector<Step> unrolled;
  for (int i = 0; i < block.repeat.times; ++i) unrolled.insert(unrolled.end(), block.steps.begin(), block.steps.end());
  if (open_.empty()) return unrolled;
  std::vector<Step>& outer = open_.back().steps;
  outer.insert(outer.end(), unrolled.begin(), unrolled.end());
  return std::vector<Step>{};
}

Status ScriptReader::finish() const {
  if (open_.empty()) return {};
  return fail(ErrorCode::Syntax,
              fmt::format("script line {}: this repeat is never closed; write: end", open_.back().repeat.line));
}

Result<std::vector<Step>> load_script(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(ErrorCode::NotFound, fmt::format("cannot read the script {}: {}", path, std::strerror(errno)));
  std::vector<Step> steps;
  ScriptReader reader;
  for (std::string text; std::getline(file, text);) {
    auto ready = reader.read(text);
    if (!ready) return fail(std::move(ready.error()));
    steps.insert(steps.end(), ready->begin(), ready->end());
  }
  if (file.bad()) return fail(ErrorCode::Io, fmt::format("cannot read the script {}: {}", path, std::strerror(errno)));
  if (Status finished = reader.finish(); !finished) return fail(std::move(finished.error()));
  return steps;
}

bool has_command(const std::vector<Step>& steps, Command command) {
  return std::any_of(steps.begin(), steps.end(), [command](const Step& step) { return step.command == command; });
}

}  // namespace fermata::phone
