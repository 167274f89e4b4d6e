// Reading /proc and starting processes, in the few ways that the phone needs.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <fermata/result.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "phone/loop.hpp"

namespace fermata::phone {

// The whole file, or what could be read of it; empty if it is gone.
[[nodiscard]] std::string read_text(const std::string& path);
// In one write, as the files of /sys and /proc want it. Errors: Io.
[[nodiscard]] Status write_text(const std::string& path, std::string_view text);
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);  // no empty parts

struct ProcessState {
  char state = '?';  // as in /proc/PID/stat: R, S, D, T, Z …
  pid_t session = 0;
};
[[nodiscard]] std::optional<ProcessState> process_state(pid_t pid);
// User and system time of a process and of its children that it has waited for; 0 if it is gone.
[[nodiscard]] std::chrono::nanoseconds processor_time(pid_t pid);
// Every process of a session, zombies left out.
[[nodiscard]] std::vector<pid_t> processes_of_session(pid_t session);

struct OpenFile {
  int fd;
  std::string target;  // a path, or socket:[INODE] and the like
};
[[nodiscard]] std::vector<OpenFile> open_files(pid_t pid);

// A child process that dies with us. Destroying it kills and reaps it.
class Child {
 public:
  struct Plan {
    std::vector<std::string> command;
    std::vector<std::string> environment;  // KEY=value, all of it
    int output = -1;                       // stdout and stderr; -1: ours
  };
  // Forks; the child, in a session of its own, waits for let_go() before it runs the command. Errors: Io.
  [[nodiscard]] static Result<Child> prepare(const Plan& plan);
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) = delete;
  ~Child();

  // The child runs the command now. Errors: NotFound, Unauthorized, Io: it could not, and has ended.
  [[nodiscard]] Status let_go();
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int pidfd() const { return pidfd_.value(); }  // readable once it has ended
  void signal(int number) const;
  // How it ended, as a shell would say: exit status, or 128 + signal. Nothing while it runs.
  [[nodiscard]] std::optional<int> ended();
  // Waits for the end without the loop; false: still running at the deadline.
  bool wait(std::chrono::milliseconds limit);

 private:
  Child(pid_t pid, Fd pidfd, Fd gate, Fd verdict, std::string name);

  pid_t pid_;
  Fd pidfd_;
  Fd gate_;     // closing it after one byte lets the child go
  Fd verdict_;  // errno of a failed exec, or end of file
  std::string name_;
  std::optional<int> ended_;
};

// Our environment with some variables replaced or added.
[[nodiscard]] std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& changes);

}  // namespace fermata::phone
