// Words for people on stderr, data on stdout. Colour and moving bars only on a terminal; NO_COLOR is honoured.
// What others wrote cannot command the terminal: control characters are shown as \xNN. Main thread only, except say().
#pragma once

#include <cstdint>
#include <fermata/value.hpp>
#include <string>
#include <string_view>

#include "cli/files.hpp"

namespace fermata::cli {

// "fermata: MESSAGE" on stderr, in one write. Thread-safe.
void say(std::string_view message);
// The same for an error: the prefix in red on a terminal. A syntax error brings its caret lines along.
void say_error(const Error& error);

// Buffered stdout. A reader that went away is not an error worth words: write() then gives Closed with an empty
// message, which main() turns into silence and exit code 0.
class Output {
 public:
  Output() = default;
  explicit Output(int fd) : fd_(fd) {}
  // A value as one line of JSON.
  [[nodiscard]] Status json(const Value& value);
  // Adds a line as it is; flushes when much has gathered. Errors: Closed (reader gone), NoSpace, Io.
  [[nodiscard]] Status line(std::string_view text);
  [[nodiscard]] Status write(std::string_view text);
  [[nodiscard]] Status flush();

 private:
  int fd_ = 1;
  std::string buffer_;
};

// Writes the whole text into a file made for it, and puts that in its place. Errors: as Output and NewFile::commit.
[[nodiscard]] Status finish_file(NewFile& file, std::string_view text);

// A bar on stderr that redraws itself at most ten times a second; silent when stderr is no terminal.
class ProgressBar {
 public:
  explicit ProgressBar(std::string label);
  ~ProgressBar();  // clears the line
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void rename(std::string_view label) { label_ = label; }
  void update(std::uint64_t done, std::uint64_t total);
  void note(std::string_view text);  // replaces the bar by words, for a step without a measure

 private:
  void draw(std::string_view text);

  std::string label_;
  bool enabled_;
  std::int64_t last_draw_ms_ = 0;
};

}  // namespace fermata::cli
