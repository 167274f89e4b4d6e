#include "phone/script_runner.hpp"

#include <fmt/format.h>

#include <utility>

namespace fermata::phone {

ScriptRunner::ScriptRunner(Loop& loop, Host host)
    : loop_(loop), host_(std::move(host)), timer_(loop.timer([this] { advance(); })) {}

void ScriptRunner::add(Step step) {
  steps_.push_back(std::move(step));
}

void ScriptRunner::advance() {
  if (advancing_) return;  // a step changed something, and the host reports it
  advancing_ = true;
  while (!steps_.empty()) {
    if (perform(steps_.front()) == Progress::Blocked) break;
    until_.reset();
    // A failure has emptied the script.
    if (!steps_.empty()) steps_.pop_front();
  }
  advancing_ = false;
}

void ScriptRunner::program_ended() {
  timer_->disarm();
  for (const Step& step : std::exchange(steps_, {})) {
    if (step.command != Command::Expect || host_.holds(step.expected)) continue;
    return host_.failed(fmt::format("script line {}: \"{}\", but the program had ended", step.line, step.text));
  }
}

ScriptRunner::Progress ScriptRunner::perform(const Step& step) {
  switch (step.command) {
    case Command::Wait:
      return wait_for(step);
    case Command::Background:
      host_.background();
      return Progress::Done;
    case Command::Foreground:
      host_.foreground();
      return Progress::Done;
    case Command::Call:
      if (Status called = host_.call(step.duration); !called)
        fail_run(fmt::format("script line {}: {}", step.line, called.error().message));
      return Progress::Done;
    case Command::WaitCall:
      return host_.in_call() ? Progress::Blocked : Progress::Done;
    case Command::Quit:
      host_.quit();
      return Progress::Done;
    case Command::Note:
      host_.note(step.text);
      return Progress::Done;
    case Command::Expect:
      return expect(step);
  }
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
  if (host_.holds(step.expected)) return Progress::Done;
  if (wait_for(step) == Progress::Blocked) return Progress::Blocked;
  fail_run(fmt::format("script line {}: \"{}\" did not come true", step.line, step.text));
  return Progress::Done;
}

void ScriptRunner::fail_run(std::string message) {
  steps_.clear();
  host_.failed(std::move(message));
}

}  // namespace fermata::phone
