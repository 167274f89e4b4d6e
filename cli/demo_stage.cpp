#include "cli/demo_stage.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "cli/demo_wakeups.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"

namespace fermata::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kPatience = seconds(30);  // for what takes well under a second unless something is wrong

Nanoseconds to_ns(milliseconds time) {
  return std::chrono::nanoseconds(time).count();
}

// The last line of a log, to say what a process died of.
std::string last_line(const std::string& path) {
  std::ifstream log(path);
  std::string last;
  for (std::string line; std::getline(log, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

}  // namespace

DemoTimes demo_times_full() {
  return {seconds(10), seconds(20), seconds(8), seconds(30), seconds(8), seconds(12), 1.0};
}

DemoTimes demo_times_fast() {
  return {milliseconds(3000),
          milliseconds(4500),
          milliseconds(3000),
          milliseconds(8000),
          milliseconds(2000),
          milliseconds(2500),
          0.3};
}

DemoStage::DemoStage(DemoTimes times, std::string directory, std::string documents, int signal_fd)
    : times_(times),
      directory_(std::move(directory)),
      documents_(std::move(documents)),
      signal_fd_(signal_fd),
      timeline_(record_) {}

DemoStage::~DemoStage() = default;

Result<DemoRecord> DemoStage::run() {
  using Step = Status (DemoStage::*)();
  for (const Step step : {&DemoStage::start_desk, &DemoStage::start_phone, &DemoStage::initial_sync,
                          &DemoStage::act_foreground, &DemoStage::act_background_without, &DemoStage::act_return,
                          &DemoStage::act_background_with, &DemoStage::finish}) {
    if (auto done = (this->*step)(); !done) {
      return fail(is_readable(signal_fd_) ? done.error() : explain(done.error()));
    }
  }
  return std::move(record_);
}

Error DemoStage::explain(Error error) const {
  for (const char* name : {"desk", "phone"}) {
    const std::string last = last_line(directory_ + "/" + name + ".log");
    if (!last.empty()) error.message += fmt::format("; {} said: {}", name, last);
  }
  return error;
}

Status DemoStage::start_desk() {
  started_at_ = now_ns();
  const std::string reports = directory_ + "/desk.reports";
  auto events = EventStream::make(reports);
  if (!events) return fail(events.error());
  desk_events_ = std::move(*events);
  auto desk = DemoChild::start({"demo-peer", "desk", directory_ + "/desk", "--secret-file",
                                directory_ + "/group.secret", "--import", documents_, "--reports", reports},
                               directory_ + "/desk.log");
  if (!desk) return fail(desk.error());
  desk_.emplace(std::move(*desk));
  return until("desk to import its documents", kPatience, [this] { return !desk_address_.empty(); });
}

Status DemoStage::start_phone() {
  const std::string phone_events = directory_ + "/phone.events", reports = directory_ + "/app.reports",
                    commands = directory_ + "/app.commands";
  for (const auto& [stream, path] :
       {std::pair(&phone_events_, phone_events), {&app_events_, reports}, {&app_commands_, commands}}) {
    auto made = EventStream::make(path);
    if (!made) return fail(made.error());
    *stream = std::move(*made);
  }
  auto phone = DemoChild::start({"phone",
                                 "--policy",
                                 "ios",
                                 "--time-scale",
                                 fmt::format("{}", times_.time_scale),
                                 "--script",
                                 "-",
                                 "--events",
                                 phone_events,
                                 "--",
                                 "/proc/self/exe",
                                 "demo-peer",
                                 "phone",
                                 directory_ + "/phone",
                                 "--secret-file",
                                 directory_ + "/group.secret",
                                 "--connect",
                                 desk_address_,
                                 "--reports",
                                 reports,
                                 "--commands",
                                 commands},
                                directory_ + "/phone.log");
  if (!phone) return fail(phone.error());
  phone_.emplace(std::move(*phone));
  return until("the phone to start its app", kPatience, [this] { return app_pid_ != 0; });
}

Status DemoStage::initial_sync() {
  const Nanoseconds begin = now_ns();
  ProgressBar bar("initial sync");
  auto done = until("the initial sync", milliseconds(120'000), [&] {
    bar.update(app_documents_, desk_documents_);
    return app_documents_ >= desk_documents_;
  });
  if (!done) return done;
  record_.documents = app_documents_;
  record_.initial_seconds = static_cast<double>(now_ns() - begin) / 1e9;
  timeline_.event(fmt::format("phone holds all {} after {:.2f} s", counted(record_.documents, "document"),
                              record_.initial_seconds));
  ask("watch");
  return {};
}

void DemoStage::begin_act(const char* name, const char* title) {
  record_.acts.push_back({.name = name, .title = title, .begin = now_ns()});
  timeline_.event(fmt::format("{:7.1f} s  act {}: {}", static_cast<double>(now_ns() - started_at_) / 1e9,
                              record_.acts.size(), title));
}

void DemoStage::end_act() {
  record_.acts.back().end = now_ns();
}

Status DemoStage::settle() {
  auto arrived = until("the last change", seconds(2), [this] { return all_delivered(now_ns()); });
  if (!arrived && arrived.error().code != ErrorCode::Timeout) return arrived;
  end_act();
  return {};
}

bool DemoStage::all_delivered(Nanoseconds before) const {
  return std::all_of(record_.changes.begin(), record_.changes.end(),
                     [before](const auto& entry) { return entry.second.written >= before || entry.second.delivered; });
}

Status DemoStage::act_foreground() {
  begin_act("foreground", "foreground");
  desk_->tell("write");
  if (auto rested = rest(times_.foreground); !rested) return rested;
  return settle();
}

Status DemoStage::act_background_without() {
  begin_act("background_without", "background, no background sync");
  phone_->tell("background");
  if (auto rested = rest(times_.background_without); !rested) return rested;
  if (!frozen_) return fail(ErrorCode::Timeout, "the phone did not suspend the app");
  end_act();
  return {};
}

Status DemoStage::act_return() {
  begin_act("return", "back in the foreground");
  const Nanoseconds left_behind = now_ns();
  phone_->tell("foreground");
  // What the demo promises is that nothing is lost; if something is, the table must say so, not a timeout.
  if (auto caught_up = until("the catch-up", times_.back, [&] { return all_delivered(left_behind); });
      !caught_up && caught_up.error().code != ErrorCode::Timeout) {
    return caught_up;
  }
  Nanoseconds last = foreground_at_;
  for (const auto& [number, change] : record_.changes) {
    if (change.written < left_behind && change.delivered) last = std::max(last, *change.delivered);
  }
  record_.catch_up_ms = static_cast<double>(last - foreground_at_) / 1e6;
  if (auto asked = ask_status(); !asked) return asked;
  const auto left = milliseconds((record_.acts.back().begin + to_ns(times_.back) - now_ns()) / 1'000'000);
  if (auto rested = rest(std::max(left, milliseconds(0))); !rested) return rested;
  return settle();
}

Status DemoStage::act_background_with() {
  const std::uint64_t round_trips = record_.catch_up_round_trips;
  ask("background-sync on");
  begin_act("background_with", "background, with BackgroundSync");
  phone_->tell("background");
  const Nanoseconds begin = now_ns();
  const auto client = voluntary_switches(app_pid_), server = voluntary_switches(server_pid_);
  if (auto rested = rest(times_.call_after); !rested) return rested;
  phone_->tell(fmt::format("call {}ms", times_.call.count()));
  if (auto rested = rest(times_.background_with - times_.call_after); !rested) return rested;
  const double elapsed = static_cast<double>(now_ns() - begin) / 1e9;
  record_.client_wakeups = static_cast<double>(voluntary_switches(app_pid_) - client) / elapsed;
  record_.server_wakeups = static_cast<double>(voluntary_switches(server_pid_) - server) / elapsed;
  desk_->tell("rest");
  if (auto rested = rest(milliseconds(150)); !rested) return rested;
  if (auto settled = settle(); !settled) return settled;
  if (frozen_) return fail(ErrorCode::Timeout, "the app was suspended although background sync was on");
  if (auto asked = ask_status(); !asked) return asked;
  record_.catch_up_round_trips = round_trips;  // that of the return, not of a later connection
  return {};
}

Status DemoStage::finish() {
  for (auto& span : record_.spans) {
    if (span.end == 0) span.end = record_.acts.back().end;
  }
  timeline_.refresh(now_ns());
  // No event of their farewell belongs to the record.
  phone_.reset();
  desk_.reset();
  return {};
}

void DemoStage::ask(const char* command) {
  const std::string line = std::string(command) + "\n";
  [[maybe_unused]] const auto written = ::write(app_commands_.fd(), line.data(), line.size());
}

Status DemoStage::ask_status() {
  const std::uint64_t before = status_count_;
  ask("status");
  return until("the phone app's status", kPatience, [&] { return status_count_ > before; });
}

Status DemoStage::rest(milliseconds time) {
  const Nanoseconds end = now_ns() + to_ns(time);
  while (now_ns() < end) {
    if (auto served = serve_once(milliseconds((end - now_ns()) / 1'000'000 + 1)); !served) return served;
  }
  return {};
}

Status DemoStage::until(const char* what, milliseconds within, const Condition& condition) {
  const Nanoseconds end = now_ns() + to_ns(within);
  while (!condition()) {
    const Nanoseconds left = end - now_ns();
    if (left <= 0)
      return fail(ErrorCode::Timeout,
                  fmt::format("waited {} s in vain for {}", static_cast<double>(within.count()) / 1000, what));
    if (auto served = serve_once(milliseconds(left / 1'000'000 + 1)); !served) return served;
  }
  return {};
}

Status DemoStage::serve_once(milliseconds at_most) {
  using Handler = void (DemoStage::*)(const Map&);
  const std::array<std::pair<EventStream*, Handler>, 3> streams{{{&desk_events_, &DemoStage::on_desk},
                                                                 {&app_events_, &DemoStage::on_phone_app},
                                                                 {&phone_events_, &DemoStage::on_phone}}};
  std::array<pollfd, 4> ready{};
  ready[3] = {.fd = signal_fd_, .events = POLLIN, .revents = 0};
  for (std::size_t i = 0; i < streams.size(); ++i)
    ready[i] = {.fd = streams[i].first->fd(), .events = POLLIN, .revents = 0};
  ::poll(ready.data(), ready.size(), static_cast<int>(std::min(at_most, milliseconds(200)).count()));
  for (std::size_t i = 0; i < streams.size(); ++i) {
    if (ready[i].revents == 0) continue;
    auto events = streams[i].first->read();
    if (!events) return fail(events.error());
    for (const Map& event : *events) (this->*streams[i].second)(event);
  }
  if (ready[3].revents != 0) return fail(ErrorCode::Closed, "the demo was interrupted");
  timeline_.refresh(now_ns());
  for (const auto* child : {&desk_, &phone_}) {
    if (*child && (*child)->ended()) return fail(ErrorCode::Closed, "a process of the demo ended before its time");
  }
  if (!failure_.empty()) return fail(ErrorCode::Io, failure_);
  return {};
}

}  // namespace fermata::cli
