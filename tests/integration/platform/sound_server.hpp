// A private sound server with a null sink: PulseAudio, which interrupts music for phone calls as a phone's does, or
// PipeWire, which does not. It never touches the user's own. PULSE_SERVER of this process names it while it lives.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "integration/platform/child.hpp"
#include "integration/platform/message_bus.hpp"

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
  enum class Kind : std::uint8_t { PulseAudio, PipeWire };

  explicit SoundServer(Kind kind = Kind::PulseAudio);
  ~SoundServer();

  void start();  // returns once it answers
  void kill();
  // A phone call: a stream with media.role=phone, playing when the call returns.
  [[nodiscard]] std::unique_ptr<Child> call();
  [[nodiscard]] SeenStream our_stream() const;
  // Waits until the server has settled on what is expected of our stream.
  [[nodiscard]] bool await_stream(bool there, bool corked) const;
  [[nodiscard]] bool await_sink(const std::string& state) const;  // "SUSPENDED"
  std::string pactl(const std::string& arguments) const;
  // PipeWire: takes the way to the sink from our stream, so that it cannot run, and gives it back.
  void silence_our_stream() const;
  void let_our_stream_run() const;
  [[nodiscard]] std::string log() const;
  // The processes that carry the sound. PipeWire's session manager is none: it wakes for whatever happens on the
  // machine.
  [[nodiscard]] std::vector<pid_t> pids() const;

 private:
  [[nodiscard]] std::size_t running_calls() const;
  void start_pulseaudio();
  void start_pipewire();
  std::string link(const std::string& arguments) const;

  const Kind kind_;
  ScratchDirectory directory_;
  std::string address_;
  std::unique_ptr<MessageBus> bus_;  // PipeWire's parts meet there
  std::unique_ptr<Child> core_, manager_;
  std::unique_ptr<Child> server_;
};

}  // namespace fermata
