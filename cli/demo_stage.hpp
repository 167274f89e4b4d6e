// Runs the demo: two processes, four acts, one record.
#pragma once

#include <fermata/result.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "cli/demo_child.hpp"
#include "cli/demo_record.hpp"
#include "cli/demo_timeline.hpp"

namespace fermata::cli {

// How long things last.
struct DemoTimes {
  std::chrono::milliseconds foreground, background_without, back, background_with;
  std::chrono::milliseconds call_after, call;  // within act 4
  double time_scale;                           // of the phone's own durations
};
[[nodiscard]] DemoTimes demo_times_full();
[[nodiscard]] DemoTimes demo_times_fast();

class DemoStage {
 public:
  // `directory`: an empty one of the demo's own. `documents`: the JSON file to import.
  // `signal_fd`: readable when the user wants to end it.
  DemoStage(DemoTimes times, std::string directory, std::string documents, int signal_fd);
  ~DemoStage();

  // Blocks. Errors: Closed when a signal asked to end; whatever a process could not do, or Timeout when an expected
  // event did not come; the logs of the processes are named in the message.
  [[nodiscard]] Result<DemoRecord> run();

 private:
  using Condition = std::function<bool()>;

  [[nodiscard]] Status start_desk();
  [[nodiscard]] Status start_phone();
  [[nodiscard]] Status initial_sync();
  [[nodiscard]] Status act_foreground();
  [[nodiscard]] Status act_background_without();
  [[nodiscard]] Status act_return();
  [[nodiscard]] Status act_background_with();
  [[nodiscard]] Status finish();

  void begin_act(const char* name, const char* title);
  void end_act();
  // Ends a live act once what was written in it had its time to arrive, 2 s at most: what comes later counts as not
  // delivered in it.
  [[nodiscard]] Status settle();
  // Serves events until the condition holds. Errors: Timeout, Closed.
  [[nodiscard]] Status until(const char* what, std::chrono::milliseconds within, const Condition& condition);
  [[nodiscard]] Status rest(std::chrono::milliseconds time);
  [[nodiscard]] Status serve_once(std::chrono::milliseconds at_most);
  void on_desk(const Map& event);
  void on_phone_app(const Map& event);
  void on_phone(const Map& event);
  [[nodiscard]] Status ask_status();
  [[nodiscard]] bool all_delivered(Nanoseconds before) const;
  [[nodiscard]] Error explain(Error error) const;
  void ask(const char* command);

  const DemoTimes times_;
  const std::string directory_, documents_;
  const int signal_fd_;
  DemoRecord record_;
  DemoTimeline timeline_;
  EventStream desk_events_, app_events_, phone_events_;
  EventStream app_commands_;  // only written to
  std::optional<DemoChild> desk_, phone_;
  std::string desk_address_;
  std::uint64_t desk_documents_ = 0;
  std::uint64_t status_count_ = 0;
  std::uint64_t app_documents_ = 0;
  pid_t app_pid_ = 0, server_pid_ = 0;
  Nanoseconds foreground_at_ = 0, started_at_ = 0;
  bool playing_ = false, frozen_ = false, calling_ = false;
  std::string failure_;
};

}  // namespace fermata::cli
