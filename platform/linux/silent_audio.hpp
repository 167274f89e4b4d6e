// Silent audio on a PulseAudio server (or one that speaks its protocol): a stream of silence with media.role=music.
//
// The server interrupts such a stream for a phone call (module-role-cork) by asking it to cork itself; it does, and
// tells when the server gives the sound back. A sink that is suspended interrupts too.
//
// Owned and called by one thread; reports come from another, which exists only between acquire() and release().
#pragma once

#include <pulse/context.h>
#include <pulse/introspect.h>
#include <pulse/stream.h>
#include <pulse/thread-mainloop.h>

#include <fermata/platform.hpp>
#include <functional>

namespace fermata::linux_platform {

class SilentAudio {
 public:
  // Must not block and must not call back into this object.
  using Report = std::function<void(StrategyEvent)>;

  explicit SilentAudio(Report report);
  ~SilentAudio();
  SilentAudio(const SilentAudio&) = delete;
  SilentAudio& operator=(const SilentAudio&) = delete;

  // Connects and plays. Reports Held; or Interrupted where a call has the sound now; or Refused where no server
  // answers, which is explained on stderr once. Anything not held is built anew.
  void acquire();
  // Stops, disconnects and ends the thread. No report afterwards.
  void release();

 private:
  enum class State : std::uint8_t { Starting, Checking, Held, Interrupted, Dead };

  static void on_context_state(pa_context* context, void* self);
  static void on_stream_state(pa_stream* stream, void* self);
  static void on_stream_wants(pa_stream* stream, std::size_t bytes, void* self);
  static void on_stream_event(pa_stream* stream, const char* name, pa_proplist* details, void* self);
  static void on_stream_suspended(pa_stream* stream, void* self);
  static void on_sink_input(pa_context* context, const pa_sink_input_info* info, int end, void* self);

  [[nodiscard]] bool connect();
  [[nodiscard]] bool open_stream();
  void check_whether_born_silenced();
  void judge();
  void judge_again();
  static void on_corked(pa_stream* stream, int success, void* self);
  void interrupt();
  void follow_suspension();
  void end_interruption();
  void fail(const char* what);

  Report report_;
  bool explained_ = false;
  pa_threaded_mainloop* mainloop_ = nullptr;
  // Guarded by the mainloop's lock.
  pa_context* context_ = nullptr;
  pa_stream* stream_ = nullptr;
  State state_ = State::Dead;
  bool taken_by_call_ = false;
  bool sink_suspended_ = false;
  bool muted_ = false;
  bool call_running_ = false;
};

}  // namespace fermata::linux_platform
