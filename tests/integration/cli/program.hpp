// Runs the built `fermata` as a child process. Everything started here ends here.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace fermata::test {

// How long anything may take, sanitizers and a busy machine included. Passing it is a failure, never a pause.
inline constexpr std::chrono::seconds kDeadline{60};

using Words = std::vector<std::string>;

// How a run went. Printing it tells the command to repeat.
struct Outcome {
  std::string command;
  int code = -1;  // the exit code; 128 + the signal if one ended it; -1 if the deadline did
  std::string out, err;
};
std::ostream& operator<<(std::ostream& out, const Outcome& run);

// A running `fermata`. Killed and reaped at the end of its scope.
class Program {
 public:
  explicit Program(const Words& arguments, const Words& environment = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // The next line of stdout or stderr; nothing at its end or after the deadline.
  [[nodiscard]] std::optional<std::string> out_line();
  [[nodiscard]] std::optional<std::string> err_line();
  // Reads stderr until a line holds `text`; that line, or nothing.
  [[nodiscard]] std::optional<std::string> err_line_with(const std::string& text);
  void write(const std::string& text) const;
  void close_input();
  void close_output();  // as a reader that went away
  void signal(int number) const;
  // Waits for the end; the rest of both streams goes into the result.
  [[nodiscard]] Outcome finish();
  [[nodiscard]] const std::string& command() const { return command_; }

 private:
  struct Stream {
    int fd = -1;
    std::string buffer;
    bool ended = false;
  };
  // Waits for bytes on either stream; false after the deadline or once both ended.
  bool pump(std::chrono::steady_clock::time_point deadline);
  std::optional<std::string> next_line(Stream& stream);

  std::string command_;
  pid_t pid_ = -1;
  int input_ = -1;
  Stream out_, err_;
};

// Runs to the end.
[[nodiscard]] Outcome fermata(const Words& arguments, const std::string& input = {}, const Words& environment = {});

// A new directory under the system's temporary one, removed with all in it.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  // Writes a file and returns its path.
  [[nodiscard]] std::string file(const std::string& name, const std::string& content) const;

 private:
  std::string path_;
};

[[nodiscard]] std::string content_of(const std::string& path);
[[nodiscard]] std::vector<std::string> lines_of(const std::string& text);

}  // namespace fermata::test
