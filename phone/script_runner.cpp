#include "phone/script_runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace fermata::phone {

ScriptRunner::ScriptRunner(Loop& loop, Host host) : host_(std::move(host)), timer_(loop.timer([this] { advance(); })) {}

void ScriptRunner::add(Step step) {
  steps_.push_back(std::move(step));
}

void ScriptRunner::advance() {
  if (advancing_) return;  // a step changed something, and the host reports it
  advancing_ = true;
  while (!steps_.empty()) {
    const Step step = steps_.front();  // a failure empties the script
    if (perform(step) == Progress::Blocked) break;
    until_.reset();
    if (!steps_.empty()) steps_.pop_front();
  }
  advancing_ = false;
}

void ScriptRunner::program_ended() {
  timer_->disarm();
  for (const Step& step : std::exchange(steps_, {})) {
    if (step.command != Command::Expect || host_.holds(step)) continue;
    return host_.failed(fmt::format("script line {}: \"{}\", but the program had ended", step.line, step.text));
  }
}

void ScriptRunner::stop() {
  steps_.clear();
  timer_->disarm();
}

bool ScriptRunner::will_launch() const {
  return std::any_of(steps_.begin(), steps_.end(), [](const Step& step) { return step.command == Command::Launch; });
}

ScriptRunner::Progress ScriptRunner::perform(const Step& step) {
  if (step.command == Command::Wait) return wait_for(step);
  if (step.command == Command::WaitCall) return host_.in_call() ? Progress::Blocked : Progress::Done;
  if (step.command == Command::Expect) return expect(step);
  if (Status done = host_.act(step); !done)
    fail_run(fmt::format("script line {}: \"{}\": {}", step.line, step.text, done.error().message));
  return Progress::Done;
}

ScriptRunner::Progress ScriptRunner::wait_for(const Step& step) {
  if (!until_) {
    until_ = Loop::now() + step.duration;
    timer_->arm(*until_);
  }
  return Loop::now() < *until_ ? Progress::Blocked : Progress::Done;
}

ScriptRunner::Progress ScriptRunner::expect(const Step& step) {
  if (host_.holds(step)) return Progress::Done;
  if (wait_for(step) == Progress::Blocked) return Progress::Blocked;
  fail_run(fmt::format("script line {}: \"{}\" did not come true", step.line, step.text));
  return Progress::Done;
}

void ScriptRunner::fail_run(std::string message) {
  stop();
  host_.failed(std::move(message));
}

}  // namespace fermata::phone
