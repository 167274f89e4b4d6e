#include "phone/session.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "phone/locks.hpp"
#include "phone/reclaim.hpp"

namespace fermata::phone {
namespace {

constexpr std::chrono::seconds kAudioLimit{10};  // for the audio server to answer
constexpr std::chrono::seconds kTermLimit{3};    // between SIGTERM and SIGKILL
constexpr std::chrono::seconds kServerEndLimit{2};

std::string last_line(const std::string& text) {
  const auto lines = split(text, '\n');
  return lines.empty() ? "it said nothing" : std::string(lines.back());
}

}  // namespace

Result<TempFolder> TempFolder::make() {
  const char* parent = getenv("TMPDIR");
  std::string path = fmt::format("{}/fermata-phone-XXXXXX", parent && *parent ? parent : "/tmp");
  if (!mkdtemp(path.data()))
    return fail(ErrorCode::Io, fmt::format("cannot make a folder like {}: {}; set TMPDIR", path, std::strerror(errno)));
  return TempFolder(std::move(path));
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Session::Session(PhoneOptions options, std::vector<Step> steps, EventLog log, TempFolder folder)
    : options_(std::move(options)),
      steps_(std::move(steps)),
      log_(std::move(log)),
      folder_(std::move(folder)),
      rules_(options_.policy.scaled(options_.time_scale)) {}

Session::~Session() {
  audio_.reset();  // no news of a server that we end ourselves
  server_watch_.reset();
  if (!server_) return;
  server_->signal(SIGTERM);
  server_->wait(kServerEndLimit);
}

Result<int> Session::run() {
  watch_signals();
  deadline_ = loop_.timer([this] {
    rules_.on_deadline(Loop::now());
    pump();
  });
  kill_timer_ = loop_.timer([this] { freezer_->kill_all(); });
  reclaim_means_ = options_.policy.sockets == SocketRule::Reclaim ? reclaim_means() : "none: the policy keeps sockets";
  if (Status started = start_audio(); !started) return fail(std::move(started.error()));
  if (Status started = start_lines(); !started) return fail(std::move(started.error()));
  if (Status started = start_program(); !started) return fail(std::move(started.error()));
  report_start();
  script_ = std::make_unique<ScriptRunner>(loop_, script_host());
  for (Step& step : steps_) script_->add(std::move(step));
  if (options_.script_path == "-") watch_standard_input();
  script_->advance();
  loop_.run_until([this] { return program_code_.has_value(); });
  return exit_code();
}

Status Session::start_audio() {
  server_address_ = options_.pulse_server;
  if (server_address_.empty()) {
    auto server = start_audio_server(folder_.path());
    if (!server) return fail(std::move(server.error()));
    server_.emplace(std::move(*server));
    server_watch_ = loop_.watch(server_->pidfd(), [this] { on_server_end(); });
    server_address_ = audio_server_address(folder_.path());
  }
  Audio::Callbacks callbacks;
  callbacks.on_change = [this] { on_audio_change(); };
  callbacks.on_connection = [this] {
    if (audio_->is_connected()) server_worked_ = true;
    if (program_)
      log_.write(audio_->is_connected() ? Event("audio_back", "the audio server is back")
                                        : Event("audio_lost", "the audio server is gone"));
  };
  callbacks.on_call_begin = [this] { log_.write(Event("call_begin", "a phone call begins")); };
  callbacks.on_call_end = [this] { log_.write(Event("call_end", "the phone call is over")); };
  audio_ = std::make_unique<Audio>(loop_, server_address_, folder_.path(), std::move(callbacks));
  const auto settled = [this] { return audio_->is_connected() || signal_ != 0 || (server_ && server_->ended()); };
  loop_.run_until(settled, Loop::now() + kAudioLimit);
  if (audio_->is_connected()) return {};
  if (!server_) return fail(ErrorCode::Timeout, fmt::format("no audio server answers at {}", server_address_));
  return fail(ErrorCode::Io, fmt::format("the private audio server did not start: {}",
                                         last_line(read_text(folder_.path() + "/pulse.log"))));
}

Status Session::start_lines() {
  LineServer::Callbacks callbacks;
  callbacks.on_line = [this](ClientId client, std::string_view line) { on_program_line(client, line); };
  callbacks.on_gone = [this](ClientId client) {
    rules_.client_gone(client, Loop::now());
    pump();
  };
  auto lines = LineServer::listen(loop_, folder_.path() + "/phone.socket", std::move(callbacks));
  if (!lines) return fail(std::move(lines.error()));
  lines_ = std::move(*lines);
  return {};
}

Status Session::start_program() {
  Child::Plan plan;
  plan.command = options_.program;
  plan.environment = environment_with({{"FERMATA_PHONE_SOCKET", folder_.path() + "/phone.socket"},
                                       {"PULSE_SERVER", server_address_},
                                       {"PULSE_COOKIE", folder_.path() + "/cookie"},
                                       {"PULSE_RUNTIME_PATH", folder_.path() + "/client"}});
  auto program = Child::prepare(plan);
  if (!program) return fail(std::move(program.error()));
  program_.emplace(std::move(*program));
  freezer_ = Freezer::take(program_->pid());
  warden_ = std::make_unique<Warden>([this] {
    freezer_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_.path(), ignored);
  });
  if (Status started = program_->let_go(); !started) return started;
  program_watch_ = loop_.watch(program_->pidfd(), [this] { on_program_end(); });
  return {};
}

void Session::report_start() {
  const std::string audio = audio_->server_name() + (server_ ? ", null sink" : "");
  Event start("start", fmt::format("{} runs as process {} under policy {} (suspend: {}; reclaim: {}; audio: {})",
                                   options_.program.front(), program_->pid(), options_.policy.name, freezer_->means(),
                                   reclaim_means_, audio));
  start.with("pid", program_->pid()).with("policy", options_.policy.name);
  if (server_) start.with("pulse_pid", server_->pid());
  start.with("pulse_server", server_address_);
  start.with_json("means", fmt::format(R"({{"suspend":{},"reclaim":{},"audio":{}}})", json_string(freezer_->means()),
                                       json_string(reclaim_means_), json_string(audio)));
  log_.write(start);
}

ScriptRunner::Host Session::script_host() {
  ScriptRunner::Host host;
  host.background = [this] {
    rules_.background(Loop::now());
    pump();
  };
  host.foreground = [this] {
    rules_.foreground(Loop::now());
    pump();
  };
  host.quit = [this] {
    quitting_ = true;
    end_program();
  };
  host.call = [this](Millis duration) { return audio_->call(duration); };
  host.in_call = [this] { return audio_->in_call(); };
  host.holds = [this](Expected expected) { return holds(expected); };
  host.note = [this](const std::string& text) { log_.write(Event("note", text).with("text", text)); };
  host.failed = [this](const std::string& message) { script_failed(message); };
  return host;
}

void Session::watch_signals() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&wanted, number);
  signals_ = Fd(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  signal_watch_ = loop_.watch(signals_.value(), [this] {
    signalfd_siginfo info{};
    if (read(signals_.value(), &info, sizeof info) != sizeof info) return;
    // Asked twice: whoever asks has no patience left.
    if (std::exchange(signal_, static_cast<int>(info.ssi_signo)) != 0 && freezer_) freezer_->kill_all();
    if (program_) end_program();
  });
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
  if (!input_watch_) {
    Step quit;
    quit.command = Command::Quit;
    script_->add(std::move(quit));
  }
  script_->advance();
}

void Session::on_script_line(std::string_view line) {
  auto step = parse_script_line(line, ++input_line_);
  if (step) {
    if (*step) script_->add(std::move(**step));
  } else if (isatty(STDIN_FILENO)) {
    log_.say(step.error().message);  // a typing error of somebody who can type again
  } else {
    script_failed(step.error().message);
  }
}

void Session::on_program_line(ClientId client, std::string_view line) {
  const auto words = split(line, ' ');
  const auto now = Loop::now();
  if (words.size() >= 2 && words[0] == "hello") {
    log_.write(Event("hello").with("name", words.size() > 2 ? words[2] : "").with("version", words[1]));
    rules_.hello(client, now);
  } else if (words.size() == 3 && words[0] == "task" && words[1] == "begin") {
    rules_.task_begin(client, words[2], now);
  } else if (words.size() == 3 && words[0] == "task" && words[1] == "end") {
    rules_.task_end(client, words[2], now);
  } else if (words.size() == 1 && words[0] == "ready") {
    rules_.ready(now);
  }
  pump();
}

void Session::on_audio_change() {
  if (!freezer_ || program_code_) return;
  const std::vector<pid_t> players = audio_->playing();
  const std::vector<pid_t> ours = players.empty() ? players : freezer_->pids();
  const bool plays = std::any_of(players.begin(), players.end(), [&](pid_t player) {
    return std::find(ours.begin(), ours.end(), player) != ours.end();
  });
  if (plays)
    rules_.playing(Loop::now());
  else
    rules_.not_playing(Loop::now());
  pump();
}

// As the media server of a phone does, ours comes back after a crash; unless it never ran.
void Session::on_server_end() {
  server_watch_.reset();
  (void)server_->ended();
  if (!std::exchange(server_worked_, false)) return;
  auto server = start_audio_server(folder_.path());
  if (!server) return log_.say(server.error().message);
  server_.emplace(std::move(*server));
  server_watch_ = loop_.watch(server_->pidfd(), [this] { on_server_end(); });
  log_.write(Event("audio_restarted", "the audio server died and is started again").with("pulse_pid", server_->pid()));
}

void Session::on_program_end() {
  const auto code = program_->ended();
  if (!code) return;
  program_watch_.reset();
  freezer_->kill_all();
  rules_.foreground(Loop::now());
  (void)rules_.take_actions();
  program_code_ = code;
  log_.write(Event("exit", fmt::format("the program has ended with {}", *code)).with("code", *code));
  if (!ending_) script_->program_ended();
}

void Session::pump() {
  if (pumping_) return;
  pumping_ = true;
  for (auto actions = rules_.take_actions(); !actions.empty(); actions = rules_.take_actions())
    for (const Action& action : actions) perform(action);
  pumping_ = false;
  if (const auto when = rules_.next_deadline())
    deadline_->arm(*when);
  else
    deadline_->disarm();
  if (script_) script_->advance();
}

void Session::perform(const Action& action) {
  if (const auto* tell = std::get_if<Tell>(&action)) {
    lines_->send(tell->client, tell->line);
  } else if (const auto* report = std::get_if<Report>(&action)) {
    log_.write(report->event);
  } else if (const auto* kill = std::get_if<Kill>(&action)) {
    kill_program(kill->reason);
  } else if (std::holds_alternative<Thaw>(action)) {
    // Written before it is true, so that between "frozen" and "thawed" nothing of the program has run.
    log_.write(Event("thawed", "the app runs again"));
    freezer_->thaw();
  } else if (!ending_) {
    freeze();
  }
}

// Frozen first, then looked at: what a running program holds changes while one looks.
void Session::freeze() {
  if (Status frozen = freezer_->freeze(); !frozen) {
    log_.write(Event("freeze_failed", frozen.error().message).with("reason", frozen.error().message));
    return;
  }
  const std::vector<pid_t> pids = freezer_->pids();
  log_.write(Event("frozen", fmt::format("frozen ({})", freezer_->means()))
                 .with("means", freezer_->means())
                 .with("processes", static_cast<std::int64_t>(pids.size())));
  if (options_.policy.sockets == SocketRule::Reclaim) reclaim_sockets(pids);
  if (options_.policy.locks != LockRule::Ignore) lint_locks(pids);
}

void Session::lint_locks(const std::vector<pid_t>& pids) {
  const std::vector<HeldLock> locks = locks_of(pids);
  if (locks.empty()) return;
  std::vector<std::string> json;
  std::vector<std::string> words;
  for (const HeldLock& lock : locks) {
    json.push_back(fmt::format(R"({{"pid":{},"kind":{},"mode":{},"path":{}}})", lock.pid, json_string(lock.kind),
                               json_string(lock.mode), json_string(lock.path)));
    words.push_back(fmt::format("{} {} on {}", lock.kind, lock.mode, lock.path));
  }
  log_.write(Event("lock_violation", fmt::format("locks held while suspended: {}", fmt::join(words, ", ")))
                 .with("count", static_cast<std::int64_t>(locks.size()))
                 .with_json("locks", fmt::format("[{}]", fmt::join(json, ","))));
  if (options_.policy.locks == LockRule::Kill)
    kill_program(fmt::format("0xdead10cc: suspended with a lock on {}", locks.front().path));
}

void Session::reclaim_sockets(const std::vector<pid_t>& pids) {
  const Reclaimed result = reclaim_tcp_sockets(pids);
  Event event("reclaimed", result.sockets > 0 ? fmt::format("{} TCP sockets reclaimed", result.sockets) : "");
  event.with("count", result.sockets).with("failed", result.failed);
  if (result.failed > 0) event.with("problem", result.problem);
  log_.write(event);
}

void Session::kill_program(const std::string& reason) {
  killed_ = ending_ = true;
  log_.write(Event("killed", fmt::format("killed: {}", reason)).with("reason", reason));
  freezer_->kill_all();
}

void Session::end_program() {
  if (std::exchange(ending_, true) || program_code_) return;
  if (rules_.is_frozen()) log_.write(Event("thawed", "the app runs again, to end"));
  freezer_->thaw();
  program_->signal(SIGTERM);
  kill_timer_->arm(Loop::now() + kTermLimit);
}

void Session::script_failed(const std::string& message) {
  script_failed_ = true;
  log_.write(Event("expect_failed").with("message", message));
  fmt::print(stderr, "phone: {}\n", message);
  if (!program_code_) end_program();
}

bool Session::holds(Expected expected) const {
  const bool ended = program_code_.has_value() || killed_;
  switch (expected) {
    case Expected::Frozen:
      return !ended && rules_.is_frozen();
    case Expected::Running:
      return !ended && !rules_.is_frozen();
    case Expected::Playing:
      return !ended && rules_.is_playing();
    case Expected::Ended:
      return ended;
  }
  return false;
}

int Session::exit_code() const {
  if (script_failed_) return 1;
  if (signal_ != 0) return 128 + signal_;
  if (quitting_ && *program_code_ == 128 + SIGTERM) return 0;
  return *program_code_;
}

}  // namespace fermata::phone
