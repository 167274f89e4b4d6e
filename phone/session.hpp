// One run of the phone: joins the rules with the real parts. One thread, that of run().
#pragma once

#include <fermata/result.hpp>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "phone/audio.hpp"
#include "phone/events.hpp"
#include "phone/fake_clock.hpp"
#include "phone/freezer.hpp"
#include "phone/line_server.hpp"
#include "phone/loop.hpp"
#include "phone/media_players.hpp"
#include "phone/phone.hpp"
#include "phone/proc.hpp"
#include "phone/rules.hpp"
#include "phone/script_runner.hpp"
#include "phone/temp_folder.hpp"
#include "phone/timeline.hpp"
#include "phone/warden.hpp"

namespace fermata::phone {

class Session {
 public:
  Session(PhoneOptions options, std::vector<Step> steps, EventLog log, TempFolder folder);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // As run_phone().
  [[nodiscard]] Result<int> run();
  // Afterwards. `code`: that of run().
  [[nodiscard]] RunRecord record(int code) const;
  [[nodiscard]] Status events_written() const { return log_.written(); }

 private:
  // session.cpp: the run from its start to its end
  [[nodiscard]] Status start_parts();
  [[nodiscard]] Status start_audio();
  [[nodiscard]] Audio::Callbacks audio_callbacks();
  [[nodiscard]] Status start_players();
  [[nodiscard]] Status start_lines();
  [[nodiscard]] Status start_program();
  void renew_warden();
  [[nodiscard]] std::vector<std::string> program_environment() const;
  void report_start();
  void watch_signals();
  void on_signal();
  [[nodiscard]] bool is_interrupted();  // by a signal, even if the loop has not run since
  void on_program_line(ClientId client, std::string_view line);
  void on_ready(ClientId client, std::string_view states_read);
  void on_delivered(std::string_view name);
  void on_hello(ClientId client, std::string_view version, std::string_view name);
  void on_audio_change();
  void on_players_change();
  void on_server_end();
  void on_program_end();
  void kill_now();  // and waits for the end, so that the script can launch it again at once
  void pump();      // performs what the rules decided, and lets the script go on
  void end_program();
  [[nodiscard]] int exit_code() const;

  // session_script.cpp: what the script does and expects
  [[nodiscard]] ScriptRunner::Host script_host();
  void watch_standard_input();
  void read_standard_input();
  void on_script_line(std::string_view line);
  void end_of_script_input();
  [[nodiscard]] Status act(const Step& step);
  [[nodiscard]] Status act_on_app(const Step& step);
  [[nodiscard]] Status act_on_audio(const Step& step);
  [[nodiscard]] Status launch();
  [[nodiscard]] Status move_clock(Millis by);
  [[nodiscard]] Status begin_airplane(Millis duration);
  void set_condition(const std::string& name, const std::string& value);
  void kill_for_memory();
  void quit();
  void script_failed(const std::string& message);
  [[nodiscard]] bool holds(const Step& step);

  // session_rules.cpp: what the rules want done
  void perform(const Action& action);
  void freeze();
  // What the rules want and what is: a program that could not be suspended runs.
  [[nodiscard]] bool is_frozen() const { return rules_.is_frozen() && !freeze_failed_; }
  void lint_locks(const std::vector<pid_t>& pids);
  void reclaim_sockets(const std::vector<pid_t>& pids);
  void kill_program(const std::string& reason);
  void count_cpu();
  void on_airplane_time();

  std::unique_ptr<Warden> warden_;  // first: dismissed when everything below is gone
  PhoneOptions options_;
  std::vector<Step> steps_;
  EventLog log_;
  TempFolder folder_;
  std::string server_address_;
  std::string reclaim_means_;
  std::string means_json_ = "{}";
  std::uint64_t seed_;
  Rules rules_;

  Loop loop_;
  Fd signals_;
  std::optional<Child> server_;  // none when the audio server is somebody else's
  std::unique_ptr<Loop::Watch> server_watch_;
  std::unique_ptr<Audio> audio_;
  std::optional<Child> bus_;  // none unless the policy looks at media players
  std::unique_ptr<MediaPlayers> players_;
  std::optional<FakeClock> clock_;  // none unless the script moves it
  std::unique_ptr<LineServer> lines_;
  std::optional<Child> program_;
  std::unique_ptr<Freezer> freezer_;  // after the program: destroyed first, it resumes what must be able to end
  std::unique_ptr<Loop::Watch> program_watch_;
  std::unique_ptr<Loop::Watch> signal_watch_;
  std::unique_ptr<Loop::Watch> input_watch_;
  std::unique_ptr<Loop::Timer> deadline_;
  std::unique_ptr<Loop::Timer> kill_timer_;
  std::unique_ptr<Loop::Timer> cpu_timer_;
  std::unique_ptr<Loop::Timer> airplane_timer_;
  std::optional<Loop::Instant> airplane_end_;
  std::unique_ptr<ScriptRunner> script_;

  std::string input_;  // of the script on standard input, up to the next newline
  ScriptReader input_reader_;
  std::map<std::string, std::string> conditions_;  // that the script has set: protocol name and value
  std::set<std::string> delivered_;                // said by the program and not yet expected
  std::string failure_;
  int lock_violations_ = 0;
  bool locked_ = false;  // the screen
  bool server_worked_ = false;
  bool running_ = false;  // the program, frozen or not
  bool over_ = false;     // the run
  bool quitting_ = false;
  bool ending_ = false;         // the program was told to end, or killed: it is not frozen any more
  bool killed_ = false;         // by the rules
  bool script_killed_ = false;  // by the script
  bool freeze_failed_ = false;  // which ends the run
  bool counting_cpu_ = false;
  bool pumping_ = false;
  int signal_ = 0;
  std::optional<int> program_code_;  // of the last one that ended
};

}  // namespace fermata::phone
