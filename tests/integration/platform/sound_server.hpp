// A private PulseAudio server with a null sink that interrupts music for phone calls, as a phone's does. It never
// touches the user's own. PULSE_SERVER of this process names it while it lives.
#pragma once

#include <memory>
#include <string>

#include "integration/platform/child.hpp"

namespace fermata {

// Our stream as the server sees it.
struct SeenStream {
  bool there = false;
  bool corked = false;
  bool muted = false;
  std::string index, sink, role, format;
};

class SoundServer {
 public:
  SoundServer();
  ~SoundServer();

  void start();  // returns once it answers
  void kill();
  [[nodiscard]] bool running() const { return server_ != nullptr; }
  // A phone call: a stream with media.role=phone, playing when the call returns.
  [[nodiscard]] std::unique_ptr<Child> call();
  [[nodiscard]] SeenStream our_stream() const;
  // Waits until the server has settled on what is expected of our stream.
  [[nodiscard]] bool await_stream(bool there, bool corked) const;
  [[nodiscard]] bool await_sink(const std::string& state) const;  // "SUSPENDED"
  std::string pactl(const std::string& arguments) const;
  [[nodiscard]] std::string log() const;
  [[nodiscard]] pid_t pid() const { return server_->pid(); }

 private:
  [[nodiscard]] std::size_t running_calls() const;

  ScratchDirectory directory_;
  std::string address_;
  std::unique_ptr<Child> server_;
};

}  // namespace fermata
