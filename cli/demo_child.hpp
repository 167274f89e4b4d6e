// A child process of the demo, with a stream of lines into it and one out of it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <fermata/result.hpp>
#include <fermata/value.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/line_socket.hpp"

namespace fermata::cli {

// Lines read from a descriptor as they come; each is one JSON object, anything else is passed over.
class EventStream {
 public:
  EventStream() = default;
  explicit EventStream(Fd fd) : fd_(std::move(fd)) {}
  [[nodiscard]] int fd() const { return fd_.fd(); }
  // What can be read without waiting. Error: Io.
  [[nodiscard]] Result<std::vector<Map>> read();

  // A named pipe made at `path`, open for reading; whoever opens it for writing feeds the stream. Error: Io.
  [[nodiscard]] static Result<EventStream> make(const std::string& path);

 private:
  Fd fd_;
  std::string buffer_;
};

// Ended by the destructor: first by closing its commands, then SIGTERM, then SIGKILL, each after a bounded wait, by its
// own pid.
class DemoChild {
 public:
  // Runs this program with these arguments, its stdin fed by tell(). `inherit`: descriptors that it keeps, at the same
  // numbers. stderr goes to `log_path`.
  [[nodiscard]] static Result<DemoChild> start(const std::vector<std::string>& arguments, const std::string& log_path);
  ~DemoChild();
  DemoChild(DemoChild&& other) noexcept : pid_(std::exchange(other.pid_, -1)), commands_(std::move(other.commands_)) {}
  DemoChild& operator=(DemoChild&&) = delete;

  // A line to its stdin. A child that is gone swallows it.
  void tell(const std::string& line);
  // Whether it is gone by itself.
  [[nodiscard]] bool ended() const { return wait_for_end(std::chrono::milliseconds(0)); }

 private:
  DemoChild(pid_t pid, Fd commands) : pid_(pid), commands_(std::move(commands)) {}
  [[nodiscard]] bool wait_for_end(std::chrono::milliseconds within) const;

  pid_t pid_;
  Fd commands_;
};

}  // namespace fermata::cli
