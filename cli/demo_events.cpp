// What the demo's processes tell, put into the record.
#include <fmt/format.h>

#include "cli/demo_stage.hpp"

namespace fermata::cli {
namespace {

std::int64_t number_of(const Map& event, std::string_view key) {
  const auto found = event.find(key);
  const auto* number = found == event.end() ? nullptr : found->second.if_a<std::int64_t>();
  return number == nullptr ? 0 : *number;
}

std::string text_at(const Map& event, std::string_view path) {
  const Value* found = find_path(event, path);
  const auto* text = found == nullptr ? nullptr : found->if_a<std::string>();
  return text == nullptr ? std::string() : *text;
}

}  // namespace

void DemoStage::on_desk(const Map& event) {
  const std::string kind = text_at(event, "event");
  if (kind == "ready") {
    desk_address_ = text_at(event, "address");
    desk_documents_ = static_cast<std::uint64_t>(number_of(event, "documents"));
  } else if (kind == "written") {
    record_.changes[number_of(event, "number")].written = number_of(event, "t_ns");
  } else if (kind == "failed") {
    failure_ = "desk could not write: " + text_at(event, "message");
  }
}

void DemoStage::on_phone_app(const Map& event) {
  const std::string kind = text_at(event, "event");
  if (kind == "count") {
    app_documents_ = static_cast<std::uint64_t>(number_of(event, "documents"));
  } else if (kind == "delivered") {
    record_.changes[number_of(event, "number")].delivered = number_of(event, "t_ns");
  } else if (kind == "status") {
    ++status_count_;
    record_.catch_up_round_trips = static_cast<std::uint64_t>(number_of(event, "round_trips"));
    record_.interruptions = static_cast<std::uint64_t>(number_of(event, "interruptions"));
    record_.recoveries = static_cast<std::uint64_t>(number_of(event, "recoveries"));
  }
}

void DemoStage::on_phone(const Map& event) {
  const std::string kind = text_at(event, "event");
  const Nanoseconds at = number_of(event, "t_ns");
  const auto tell = [&](const char* words) {
    timeline_.event(fmt::format("{:7.1f} s  {}", static_cast<double>(at - started_at_) / 1e9, words));
  };
  const auto span = [&](const char* name, bool& flag, bool begins, const char* words) {
    flag = begins;
    begins ? record_.begin_span(name, at) : record_.end_span(name, at);
    tell(words);
  };
  bool task = false;
  if (kind == "start") {
    app_pid_ = static_cast<pid_t>(number_of(event, "pid"));
    server_pid_ = static_cast<pid_t>(number_of(event, "pulse_pid"));
    record_.suspend = text_at(event, "means.suspend");
    record_.reclaim = text_at(event, "means.reclaim");
    // Nobody takes the sockets then; what ends the connections is that both sides close them at the goodbye.
    if (record_.reclaim.starts_with("none"))
      record_.reclaim = "peer-side close at the goodbye (" + record_.reclaim + ")";
    record_.audio = text_at(event, "means.audio");
  }
  if (kind == "frozen") span("frozen", frozen_, true, "the phone suspends the app");
  if (kind == "thawed") span("frozen", frozen_, false, "the app runs again");
  if (kind == "playing") span("playing", playing_, true, "silent audio plays: the phone leaves the app alone");
  if (kind == "not_playing") span("playing", playing_, false, "silent audio does not play");
  if (kind == "call_begin") span("call", calling_, true, "a phone call begins");
  if (kind == "call_end") span("call", calling_, false, "the call ends");
  if (kind == "task_begin") span("task", task, true, "the keeper holds a task assertion");
  if (kind == "task_end") span("task", task, false, "the task assertion is released");
  if (kind == "foreground") foreground_at_ = at;
  if (kind == "reclaimed" && number_of(event, "count") > 0) tell("the phone takes the app's sockets");
  if (kind == "lock_violation") failure_ = "the app held a file lock when it was suspended";
  if (kind == "killed") failure_ = "the phone killed the app: " + text_at(event, "reason");
}

}  // namespace fermata::cli
