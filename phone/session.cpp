#include "phone/session.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <utility>

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

std::string_view words_for(Interruption kind) {
  return kind == Interruption::Call ? "call" : "alarm";
}

}  // namespace

Session::Session(PhoneOptions options, std::vector<Step> steps, EventLog log, TempFolder folder)
    : options_(std::move(options)),
      steps_(std::move(steps)),
      log_(std::move(log)),
      folder_(std::move(folder)),
      seed_(options_.seed.value_or(0)),
      rules_(options_.policy.scaled(options_.time_scale), seed_) {
  renew_warden();
}

Session::~Session() {
  audio_.reset();  // no news of a server that we end ourselves
  players_.reset();
  server_watch_.reset();
  for (auto* part : {&server_, &bus_}) {
    if (!*part) continue;
    (*part)->signal(SIGTERM);
    (*part)->wait(kServerEndLimit);
  }
}

// A warden knows what we have when it is made. The last one is dismissed only when the next one is there.
void Session::renew_warden() {
  warden_ = std::make_unique<Warden>([this, phone = getpid()] {
    freezer_.reset();
    Freezer::clean_up_after(phone);  // of a program that was about to start
    if (clock_ && program_) FakeClock::forget(program_->pid());
    remove_folder(folder_.path());
  });
}

Result<int> Session::run() {
  watch_signals();
  deadline_ = loop_.timer([this] {
    rules_.on_deadline(Loop::now());
    pump();
  });
  kill_timer_ = loop_.timer([this] { freezer_->kill_all(); });
  cpu_timer_ = loop_.timer([this] { count_cpu(); });
  airplane_timer_ = loop_.timer([this] { on_airplane_time(); });
  reclaim_means_ = options_.policy.sockets == SocketRule::Reclaim ? reclaim_means() : "none: the policy keeps sockets";
  Status started = start_parts();
  if (started && !is_interrupted()) started = start_program();
  if (!running_ && is_interrupted()) return 128 + signal_;  // whatever failed failed for that
  if (!started) return fail(std::move(started.error()));
  report_start();
  script_ = std::make_unique<ScriptRunner>(loop_, script_host());
  for (Step& step : steps_) script_->add(std::move(step));
  if (options_.script_path == "-") watch_standard_input();
  script_->advance();
  // Without its program a run goes on only for a script that may launch it again.
  loop_.run_until([this] { return over_ || (!running_ && script_->is_done() && !input_watch_); });
  return exit_code();
}

Status Session::start_parts() {
  if (options_.clock || has_command(steps_, Command::Clock)) {
    auto clock = FakeClock::make(folder_.path());
    if (!clock) return fail(std::move(clock.error()));
    clock_.emplace(std::move(*clock));
  }
  if (Status started = start_audio(); !started) return started;
  if (options_.policy.player == PlayerRule::Exempts)
    if (Status started = start_players(); !started) return started;
  return start_lines();
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
  audio_ = std::make_unique<Audio>(loop_, server_address_, folder_.path(), audio_callbacks());
  const auto settled = [this] { return audio_->is_connected() || signal_ != 0 || (server_ && server_->ended()); };
  loop_.run_until(settled, Loop::now() + kAudioLimit);
  if (audio_->is_connected()) return {};
  if (!server_) return fail(ErrorCode::Timeout, fmt::format("no audio server answers at {}", server_address_));
  return fail(ErrorCode::Io, fmt::format("the private audio server did not start: {}",
                                         last_line(read_text(folder_.path() + "/pulse.log"))));
}

Audio::Callbacks Session::audio_callbacks() {
  Audio::Callbacks callbacks;
  callbacks.on_change = [this] { on_audio_change(); };
  callbacks.on_connection = [this] {
    if (audio_->is_connected()) server_worked_ = true;
    if (program_)
      log_.write(audio_->is_connected() ? Event("audio_back", "the audio server is back")
                                        : Event("audio_lost", "the audio server is gone"));
  };
  callbacks.on_call_begin = [this](Interruption kind) {
    log_.write(Event(fmt::format("{}_begin", words_for(kind)), fmt::format("a phone {} begins", words_for(kind))));
  };
  callbacks.on_call_end = [this](Interruption kind) {
    log_.write(Event(fmt::format("{}_end", words_for(kind)), fmt::format("the phone {} is over", words_for(kind))));
  };
  return callbacks;
}

Status Session::start_players() {
  auto bus = start_session_bus(folder_.path());
  if (!bus) return fail(std::move(bus.error()));
  bus_.emplace(std::move(*bus));
  auto players = MediaPlayers::connect(loop_, session_bus_address(folder_.path()), [this] { on_players_change(); });
  if (!players) return fail(std::move(players.error()));
  players_ = std::move(*players);
  return {};
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

std::vector<std::string> Session::program_environment() const {
  std::vector<std::pair<std::string, std::string>> changes = {
      {"FERMATA_PHONE_SOCKET", folder_.path() + "/phone.socket"},
      {"PULSE_SERVER", server_address_},
      {"PULSE_COOKIE", folder_.path() + "/cookie"},
      {"PULSE_RUNTIME_PATH", folder_.path() + "/client"}};
  if (bus_) changes.emplace_back("DBUS_SESSION_BUS_ADDRESS", session_bus_address(folder_.path()));
  if (clock_)
    for (auto& change : clock_->environment()) changes.push_back(std::move(change));
  return environment_with(changes);
}

Status Session::start_program() {
  auto program = Child::prepare({.command = options_.program, .environment = program_environment()});
  if (!program) return fail(std::move(program.error()));
  program_.emplace(std::move(*program));
  freezer_ = Freezer::take(program_->pid());
  renew_warden();
  if (Status started = program_->let_go(); !started) return started;
  program_watch_ = loop_.watch(program_->pidfd(), [this] { on_program_end(); });
  running_ = true;
  return {};
}

void Session::report_start() {
  const std::string audio = audio_->server_name() + (server_ ? ", null sink" : "");
  Event start("start",
              fmt::format("{} runs as process {} under policy {}, seed {} (suspend: {}; reclaim: {}; audio: {})",
                          options_.program.front(), program_->pid(), options_.policy.name, seed_, freezer_->means(),
                          reclaim_means_, audio));
  start.with("pid", program_->pid()).with("policy", options_.policy.name);
  if (server_) start.with("pulse_pid", server_->pid());
  start.with("pulse_server", server_address_).with("seed", static_cast<std::int64_t>(seed_));
  means_json_ = fmt::format(R"({{"suspend":{},"reclaim":{},"audio":{}}})", json_string(freezer_->means()),
                            json_string(reclaim_means_), json_string(audio));
  start.with_json("means", means_json_);
  log_.write(start);
}

void Session::watch_signals() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&wanted, number);
  signals_ = Fd(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  signal_watch_ = loop_.watch(signals_.value(), [this] { on_signal(); });
}

void Session::on_signal() {
  signalfd_siginfo info{};
  if (read(signals_.value(), &info, sizeof info) != sizeof info) return;
  // Asked twice: whoever asks has no patience left.
  if (std::exchange(signal_, static_cast<int>(info.ssi_signo)) != 0 && freezer_) freezer_->kill_all();
  if (program_) end_program();
}

bool Session::is_interrupted() {
  on_signal();
  return signal_ != 0;
}

void Session::on_program_line(ClientId client, std::string_view line) {
  const auto words = split(line, ' ');
  const auto now = Loop::now();
  if (words.size() >= 2 && words[0] == "hello") {
    on_hello(client, words[1], words.size() > 2 ? words[2] : "");
  } else if (words.size() == 3 && words[0] == "task" && words[1] == "begin") {
    rules_.task_begin(client, words[2], now);
  } else if (words.size() == 3 && words[0] == "task" && words[1] == "end") {
    rules_.task_end(client, words[2], now);
  } else if (words.size() == 1 && words[0] == "ready") {
    rules_.ready(now);
  } else if (words.size() == 2 && words[0] == "ready") {
    on_ready(client, words[1]);
  } else if (words.size() == 2 && words[0] == "delivered") {
    on_delivered(words[1]);
  }
  pump();
}

// It may have crossed news on its way here: then the app is at work again, or will be, and must not be frozen for it.
void Session::on_ready(ClientId client, std::string_view states_read) {
  std::uint64_t count = 0;
  const char* const end = states_read.data() + states_read.size();
  if (const auto parsed = std::from_chars(states_read.data(), end, count);
      parsed.ec != std::errc() || parsed.ptr != end)
    return;
  if (lines_->knows_state(client, count)) return rules_.ready(Loop::now());
  log_.write(Event("ready_late", "the app says that it may be suspended, but it answers an older state"));
}

void Session::on_delivered(std::string_view name) {
  constexpr std::size_t kMostDelivered = 1024;
  const std::string_view said = name.substr(0, kLongestName);
  if (name.size() > kLongestName || (delivered_.size() >= kMostDelivered && !delivered_.contains(std::string(name)))) {
    log_.write(
        Event("delivered_ignored", fmt::format("too long a name, or too many nobody expected: {} is not noted", said))
            .with("name", said));
    return;
  }
  delivered_.emplace(name);
  log_.write(Event("delivered", fmt::format("the app says that {} is delivered", name)).with("name", name));
}

void Session::on_hello(ClientId client, std::string_view version, std::string_view name) {
  log_.write(
      Event("hello").with("name", name.substr(0, kLongestName)).with("version", version.substr(0, kLongestName)));
  rules_.hello(client, Loop::now());
  pump();
  for (const auto& [condition, value] : conditions_)
    lines_->send(client, fmt::format("condition {} {}", condition, value));
}

void Session::on_audio_change() {
  if (!running_) return;
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

// The bus is the program's own: whoever plays there belongs to it.
void Session::on_players_change() {
  if (!running_) return;
  if (players_->is_playing())
    rules_.player_playing(Loop::now());
  else
    rules_.player_not_playing(Loop::now());
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
  if (clock_) FakeClock::forget(program_->pid());
  kill_timer_->disarm();
  deadline_->disarm();
  running_ = false;
  program_code_ = code;
  log_.write(Event("exit", fmt::format("the program has ended with {}", *code)).with("code", *code));
  const bool asked_to_end = quitting_ || signal_ != 0 || !failure_.empty();
  if (asked_to_end || !(script_->will_launch() || script_killed_)) {
    if (!ending_) script_->program_ended();
    over_ = true;
  }
  pump();
}

void Session::pump() {
  if (pumping_) return;
  pumping_ = true;
  for (auto actions = rules_.take_actions(); running_ && !actions.empty(); actions = rules_.take_actions())
    for (const Action& action : actions) perform(action);
  pumping_ = false;
  const auto when = running_ ? rules_.next_deadline() : std::nullopt;
  if (when)
    deadline_->arm(*when);
  else
    deadline_->disarm();
  if (running_ && rules_.counts_cpu() && !counting_cpu_) count_cpu();
  if (script_) script_->advance();
}

void Session::kill_now() {
  constexpr std::chrono::seconds kKillLimit{3};
  freezer_->kill_all();
  if (program_->wait(kKillLimit)) on_program_end();
}

void Session::end_program() {
  if (!running_) {
    over_ = true;
    return;
  }
  if (std::exchange(ending_, true)) return;
  if (is_frozen()) log_.write(Event("thawed", "the app runs again, to end"));
  freezer_->thaw();
  lines_->send(kEveryClient, fmt::format("state terminating time_left_ms={}", Millis(kTermLimit).count()));
  program_->signal(SIGTERM);
  kill_timer_->arm(Loop::now() + kTermLimit);
}

RunRecord Session::record(int code) const {
  return {options_.policy.name,
          *options_.seed,
          options_.time_scale,
          means_json_,
          log_.recorded(),
          log_.elapsed_ms(),
          code,
          failure_};
}

int Session::exit_code() const {
  if (!failure_.empty()) return 1;
  if (signal_ != 0) return 128 + signal_;
  if (!program_code_) return 0;
  if (quitting_ && *program_code_ == 128 + SIGTERM) return 0;
  if (script_killed_ && *program_code_ == 128 + SIGKILL) return 0;
  return *program_code_;
}

}  // namespace fermata::phone
