// What the script does to the phone, and asks of it.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include "phone/reclaim.hpp"
#include "phone/session.hpp"

namespace fermata::phone {

ScriptRunner::Host Session::script_host() {
  ScriptRunner::Host host;
  host.act = [this](const Step& step) { return act(step); };
  host.in_call = [this] { return audio_->in_call(); };
  host.holds = [this](const Step& step) { return holds(step); };
  host.failed = [this](const std::string& message) { script_failed(message); };
  return host;
}

void Session::watch_standard_input() {
  input_watch_ = loop_.watch(STDIN_FILENO, [this] { read_standard_input(); });
}

void Session::read_standard_input() {
  char buffer[4096];
  const ssize_t size = read(STDIN_FILENO, buffer, sizeof buffer);
  if (size < 0 && errno == EINTR) return;
  input_.append(buffer, static_cast<std::size_t>(std::max<ssize_t>(0, size)));
  if (size <= 0) {
    if (!input_.empty()) input_ += '\n';
    input_watch_.reset();
  }
  std::size_t begin = 0;
  for (std::size_t end; (end = input_.find('\n', begin)) != std::string::npos; begin = end + 1)
    on_script_line(std::string_view(input_).substr(begin, end - begin));
  input_.erase(0, begin);
  if (!input_watch_) end_of_script_input();
  script_->advance();
}

void Session::on_script_line(std::string_view line) {
  auto steps = input_reader_.read(line);
  if (steps) {
    for (Step& step : *steps) script_->add(std::move(step));
  } else if (isatty(STDIN_FILENO)) {
    log_.say(steps.error().message);  // a typing error of somebody who can type again
  } else {
    script_failed(steps.error().message);
  }
}

void Session::end_of_script_input() {
  if (Status finished = input_reader_.finish(); !finished) return script_failed(finished.error().message);
  Step quit;
  quit.command = Command::Quit;
  script_->add(std::move(quit));
}

Status Session::act(const Step& step) {
  switch (step.command) {
    case Command::Call:
    case Command::Alarm:
    case Command::Route:
    case Command::MediaServicesReset:
      return act_on_audio(step);
    case Command::Condition:
      set_condition(step.name, step.value);
      return {};
    case Command::Airplane:
      return begin_airplane(step.duration);
    case Command::Clock:
      return move_clock(step.duration);
    case Command::Launch:
      return launch();
    case Command::Quit:
      quit();
      return {};
    case Command::Note:
      log_.write(Event("note", step.text).with("text", step.text));
      return {};
    default:
      return act_on_app(step);
  }
}

Status Session::act_on_app(const Step& step) {
  if (!running_) return fail(ErrorCode::Closed, "the program does not run; write launch before it");
  const auto now = Loop::now();
  if (step.command == Command::Background) {
    rules_.background(now);
  } else if (step.command == Command::Inactive || step.command == Command::Foreground) {
    if (std::exchange(locked_, false)) set_condition("protected_data", "on");
    if (step.command == Command::Inactive)
      rules_.inactive(now);
    else
      rules_.foreground(now);
  } else if (step.command == Command::Lock) {
    locked_ = true;
    rules_.background(now);
    pump();
    set_condition("protected_data", "off");
  } else if (step.command == Command::Unlock) {
    locked_ = false;
    set_condition("protected_data", "on");
  } else if (step.command == Command::Kill) {
    kill_for_memory();
  }
  pump();
  return {};
}

Status Session::act_on_audio(const Step& step) {
  if (step.command == Command::Call) return audio_->interrupt(Interruption::Call, step.duration);
  if (step.command == Command::Alarm) return audio_->interrupt(Interruption::Alarm, step.duration);
  if (step.command == Command::MediaServicesReset) {
    if (!server_) return fail(ErrorCode::Unsupported, "the audio server is not the phone's own");
    log_.write(Event("media_services_reset", "the audio server is killed"));
    server_->signal(SIGKILL);
    return {};
  }
  static const std::map<std::string_view, RouteChange> kChanges{{"lost", RouteChange::Lost},
                                                                {"back", RouteChange::Back},
                                                                {"moved", RouteChange::Moved},
                                                                {"killed", RouteChange::Killed}};
  log_.write(Event(fmt::format("route_{}", step.name), fmt::format("the audio route is {}", step.name)));
  return audio_->change_route(kChanges.at(step.name));
}

Status Session::launch() {
  if (running_) return fail(ErrorCode::AlreadyExists, "the program runs already");
  lines_->hang_up();  // what the last one said and nobody heard does not count for this one
  rules_ = Rules(options_.policy.scaled(options_.time_scale), ++seed_);
  ending_ = killed_ = script_killed_ = false;
  freezer_.reset();
  if (std::exchange(locked_, false)) set_condition("protected_data", "on");  // it starts in front
  if (Status started = start_program(); !started) return started;
  log_.write(Event("launch", fmt::format("the program is started again as process {}", program_->pid()))
                 .with("pid", program_->pid()));
  on_audio_change();
  return {};
}

Status Session::move_clock(Millis by) {
  if (!clock_)
    return fail(ErrorCode::Unsupported, "a script on standard input moves the clock only after --clock was given");
  log_.write(Event("clock", fmt::format("the program's clock jumps by {} ms", by.count())).with("by_ms", by.count()));
  return clock_->jump(by);
}

Status Session::begin_airplane(Millis duration) {
  if (const std::string means = reclaim_means(); means.starts_with("none"))
    return fail(ErrorCode::Unsupported, fmt::format("sockets cannot be taken away here ({})", means));
  const auto end = Loop::now() + duration;
  if (!airplane_end_) log_.write(Event("airplane_begin", "no network"));
  airplane_end_ = airplane_end_ ? std::max(*airplane_end_, end) : end;
  on_airplane_time();
  return {};
}

void Session::set_condition(const std::string& name, const std::string& value) {
  conditions_[name] = value;
  log_.write(Event("condition", fmt::format("{} {}", name, value)).with("name", name).with("value", value));
  lines_->send(kEveryClient, fmt::format("condition {} {}", name, value));
}

void Session::kill_for_memory() {
  script_killed_ = true;
  log_.write(Event("killed", "killed: memory pressure").with("reason", "memory pressure"));
  kill_now();
}

void Session::quit() {
  quitting_ = true;
  end_program();
}

void Session::script_failed(const std::string& message) {
  if (!failure_.empty()) return;
  failure_ = message;
  log_.write(Event("expect_failed").with("message", message));
  say_on_stderr(fmt::format("phone: {}\n", message));
  if (script_) script_->stop();
  end_program();
}

bool Session::holds(const Step& step) {
  const bool alive = running_ && !killed_ && !script_killed_;
  switch (step.expected) {
    case Expected::Frozen:
      return alive && is_frozen();
    case Expected::Running:
      return alive && !is_frozen();
    case Expected::Playing:
      return alive && rules_.is_playing();
    case Expected::Ended:
      return !alive;
    case Expected::Delivered:
      return delivered_.erase(step.name) > 0;
    case Expected::NoLocks:
      return lock_violations_ == 0;
  }
  return false;
}

}  // namespace fermata::phone
