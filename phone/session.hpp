// One run of the phone: joins the rules with the real parts. One thread, that of run().
#pragma once

#include <fermata/result.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "phone/audio.hpp"
#include "phone/events.hpp"
#include "phone/freezer.hpp"
#include "phone/line_server.hpp"
#include "phone/loop.hpp"
#include "phone/phone.hpp"
#include "phone/proc.hpp"
#include "phone/rules.hpp"
#include "phone/script_runner.hpp"
#include "phone/warden.hpp"

namespace fermata::phone {

// A new folder for one owner; removed with everything in it.
class TempFolder {
 public:
  [[nodiscard]] static Result<TempFolder> make();
  TempFolder(TempFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TempFolder& operator=(TempFolder&& other) = delete;
  ~TempFolder();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit TempFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

class Session {
 public:
  Session(PhoneOptions options, std::vector<Step> steps, EventLog log, TempFolder folder);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // As run_phone().
  [[nodiscard]] Result<int> run();

 private:
  [[nodiscard]] Status start_audio();
  [[nodiscard]] Status start_lines();
  [[nodiscard]] Status start_program();
  [[nodiscard]] ScriptRunner::Host script_host();
  void report_start();
  void watch_signals();
  void watch_standard_input();
  void read_standard_input();
  void on_script_line(std::string_view line);

  void on_program_line(ClientId client, std::string_view line);
  void on_audio_change();
  void on_server_end();
  void on_program_end();

  void pump();  // performs what the rules decided, and lets the script go on
  void perform(const Action& action);
  void freeze();
  void lint_locks(const std::vector<pid_t>& pids);
  void reclaim_sockets(const std::vector<pid_t>& pids);
  void kill_program(const std::string& reason);
  void end_program();
  void script_failed(const std::string& message);
  [[nodiscard]] bool holds(Expected expected) const;
  [[nodiscard]] int exit_code() const;

  std::unique_ptr<Warden> warden_;  // first: dismissed when everything below is gone
  PhoneOptions options_;
  std::vector<Step> steps_;
  EventLog log_;
  TempFolder folder_;
  std::string server_address_;
  std::string reclaim_means_;
  Rules rules_;

  Loop loop_;
  Fd signals_;
  std::optional<Child> server_;  // none when the audio server is somebody else's
  std::unique_ptr<Loop::Watch> server_watch_;
  std::unique_ptr<Audio> audio_;
  std::unique_ptr<LineServer> lines_;
  std::optional<Child> program_;
  std::unique_ptr<Freezer> freezer_;  // after the program: destroyed first, it resumes what must be able to end
  std::unique_ptr<Loop::Watch> program_watch_;
  std::unique_ptr<Loop::Watch> signal_watch_;
  std::unique_ptr<Loop::Watch> input_watch_;
  std::unique_ptr<Loop::Timer> deadline_;
  std::unique_ptr<Loop::Timer> kill_timer_;
  std::unique_ptr<ScriptRunner> script_;

  std::string input_;  // of the script on standard input, up to the next newline
  int input_line_ = 0;
  bool server_worked_ = false;
  bool quitting_ = false;
  bool ending_ = false;  // the program was told to end: it is not frozen any more
  bool killed_ = false;
  bool script_failed_ = false;
  bool pumping_ = false;
  int signal_ = 0;
  std::optional<int> program_code_;
};

}  // namespace fermata::phone
