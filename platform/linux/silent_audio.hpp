// Silent audio on a PulseAudio server (or one that speaks its protocol): a stream of silence with media.role=music,
// which either plays without end or rests corked, at no cost, but for the length of each pulse().
//
// The server interrupts such a stream for a phone call (module-role-cork) by asking it to cork itself; it does, and
// tells when the server gives the sound back. A sink that is suspended interrupts too. A resting stream learns of
// either with its next pulse.
//
// PipeWire plays nothing in blocks longer than about 40 ms: a stream without end would wake the machine 35 times a
// second and more, so there is none on it, only pulses. It never asks a stream to cork itself, so each pulse is looked
// at: one that does not run although we asked for it was silenced by somebody.
//
// Owned and called by one thread; reports come from another, which exists only between acquire() and release().
#pragma once

#include <pulse/context.h>
#include <pulse/introspect.h>
#include <pulse/stream.h>
#include <pulse/thread-mainloop.h>

#include <chrono>
#include <fermata/platform.hpp>
#include <functional>

namespace fermata::linux_platform {

class SilentAudio {
 public:
  // Must not block and must not call back into this object.
  using Report = std::function<void(StrategyEvent)>;

  enum class Mode : std::uint8_t { Continuous, Pulsed };

  SilentAudio(Mode mode, Report report);
  ~SilentAudio();
  SilentAudio(const SilentAudio&) = delete;
  SilentAudio& operator=(const SilentAudio&) = delete;

  // Connects, and plays if continuous. Reports Held; or Interrupted where a call has the sound now; or Refused where no
  // server answers, which is explained on stderr once; or Unsupported for continuous sound on PipeWire. Anything not
  // held is built anew.
  void acquire();
  // Pulsed: audible for that long from when the server has begun to play, then resting. During a pulse: that long from
  // now. Asked for before Held is reported, it follows Held. Harmless otherwise.
  void pulse(std::chrono::milliseconds length);
  // Stops, disconnects and ends the thread. No report afterwards.
  void release();

 private:
  enum class State : std::uint8_t { Starting, Checking, Held, Interrupted, Dead };

  static void on_context_state(pa_context* context, void* self);
  static void on_server(pa_context* context, const pa_server_info* info, void* self);
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
  void become_held();
  void follow_suspension();

  // silent_audio_pulse.cpp
  void begin_pulse(std::chrono::milliseconds length);
  static void on_uncorked(pa_stream* stream, int success, void* self);
  void end_pulse_in(std::chrono::milliseconds delay);
  static void on_pulse_end(pa_mainloop_api* api, pa_time_event* timer, const timeval* when, void* self);
  void judge_pulse();
  void rest();
  void look_at_our_stream();
  static void on_our_stream(pa_context* context, const pa_sink_input_info* info, int end, void* self);
  static void on_change(pa_context* context, pa_subscription_event_type_t what, std::uint32_t index, void* self);
  void watch_changes(pa_subscription_mask_t mask);
  void forget_pulse_end();
  void forget_pulse();

  void end_interruption();
  void fail(const char* what);

  const Mode mode_;
  const Report report_;
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
  bool on_pipewire_ = false;
  bool silenced_ = false;  // by somebody on PipeWire
  // Pulsed only.
  bool pulsing_ = false;  // from the request to uncork to that to cork
  bool waited_for_sink_ = false;
  std::chrono::milliseconds pulse_length_{0};
  std::chrono::milliseconds pulse_wanted_{0};  // asked for before Held
  pa_time_event* pulse_end_ = nullptr;
};

}  // namespace fermata::linux_platform
