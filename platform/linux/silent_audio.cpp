#include "silent_audio.hpp"

#include <fmt/core.h>
#include <pulse/error.h>
#include <pulse/proplist.h>

#include <cstdio>
#include <cstring>
#include <utility>

#include "pulse_operation.hpp"

namespace fermata::linux_platform {
namespace {

constexpr pa_sample_spec kFormat{.format = PA_SAMPLE_U8, .rate = 8000, .channels = 1};
constexpr int kSilence = 0x80;
// Measured: with minreq at 0.4 of tlength we wake 0.15 times a second and the server 0.35 times more than idle. At half
// or more the latency left to the sink is zero and the server spins 2000 times a second. More than 60 s gains nothing.
constexpr std::uint32_t kBufferBytes = 60 * 8000;
constexpr std::uint32_t kRequestBytes = kBufferBytes / 10 * 4;

constexpr auto kServerDecides = static_cast<std::uint32_t>(-1);

bool is_running_call(const pa_sink_input_info& info) {
  const char* role = pa_proplist_gets(info.proplist, PA_PROP_MEDIA_ROLE);
  return role != nullptr && (std::strcmp(role, "phone") == 0 || std::strcmp(role, "alarm") == 0) && info.corked == 0;
}

}  // namespace

SilentAudio::SilentAudio(Mode mode, Report report) : mode_(mode), report_(std::move(report)) {}

SilentAudio::~SilentAudio() {
  release();
}

void SilentAudio::acquire() {
  if (mainloop_ != nullptr) {
    pa_threaded_mainloop_lock(mainloop_);
    const bool held = state_ == State::Held;
    if (held) {
      report_(StrategyEvent::Held);
    }
    pa_threaded_mainloop_unlock(mainloop_);
    if (held) {
      return;
    }
    release();
  }
  mainloop_ = pa_threaded_mainloop_new();
  if (mainloop_ == nullptr) {
    report_(StrategyEvent::Refused);
    return;
  }
  state_ = State::Starting;
  taken_by_call_ = sink_suspended_ = muted_ = call_running_ = silenced_ = false;
  if (!connect() || pa_threaded_mainloop_start(mainloop_) < 0) {
    fail("the connection could not be begun");
  }
}

bool SilentAudio::connect() {
  context_ = pa_context_new(pa_threaded_mainloop_get_api(mainloop_), "Fermata");
  if (context_ == nullptr) {
    return false;
  }
  pa_context_set_state_callback(context_, &on_context_state, this);
  return pa_context_connect(context_, nullptr, PA_CONTEXT_NOAUTOSPAWN, nullptr) >= 0;
}

void SilentAudio::release() {
  if (mainloop_ == nullptr) {
    return;
  }
  pa_threaded_mainloop_lock(mainloop_);
  state_ = State::Dead;
  forget_pulse();
  if (stream_ != nullptr) {
    pa_stream_set_state_callback(stream_, nullptr, nullptr);
    pa_stream_disconnect(stream_);
    pa_stream_unref(stream_);
    stream_ = nullptr;
  }
  if (context_ != nullptr) {
    pa_context_set_state_callback(context_, nullptr, nullptr);
    pa_context_disconnect(context_);
    pa_context_unref(context_);
    context_ = nullptr;
  }
  pa_threaded_mainloop_unlock(mainloop_);
  pa_threaded_mainloop_stop(mainloop_);
  pa_threaded_mainloop_free(mainloop_);
  mainloop_ = nullptr;
}

void SilentAudio::on_context_state(pa_context* context, void* self) {
  auto& audio = *static_cast<SilentAudio*>(self);
  const auto state = pa_context_get_state(context);
  if (state == PA_CONTEXT_READY) {
    forget(pa_context_get_server_info(context, &on_server, self));
  } else if (!PA_CONTEXT_IS_GOOD(state)) {
    audio.fail(pa_strerror(pa_context_errno(context)));
  }
}

void SilentAudio::on_server(pa_context* /*context*/, const pa_server_info* info, void* self) {
  auto& audio = *static_cast<SilentAudio*>(self);
  // "PulseAudio (on PipeWire 0.3.65)"
  audio.on_pipewire_ = info != nullptr && info->server_name != nullptr && std::strstr(info->server_name, "PipeWire");
  if (audio.on_pipewire_ && audio.mode_ == Mode::Continuous) {
    audio.state_ = State::Dead;
    audio.report_(StrategyEvent::Unsupported);
  } else if (!audio.open_stream()) {
    audio.fail("the stream could not be created");
  }
}

bool SilentAudio::open_stream() {
  pa_proplist* properties = pa_proplist_new();
  pa_proplist_sets(properties, PA_PROP_MEDIA_ROLE, "music");
  stream_ = pa_stream_new_with_proplist(context_, "silence", &kFormat, nullptr, properties);
  pa_proplist_free(properties);
  if (stream_ == nullptr) {
    return false;
  }
  pa_stream_set_state_callback(stream_, &on_stream_state, this);
  pa_stream_set_write_callback(stream_, &on_stream_wants, this);
  pa_stream_set_event_callback(stream_, &on_stream_event, this);
  pa_stream_set_suspended_callback(stream_, &on_stream_suspended, this);
  pa_stream_set_moved_callback(stream_, &on_stream_suspended, this);
  const pa_buffer_attr attributes{.maxlength = kServerDecides,
                                  .tlength = kBufferBytes,
                                  .prebuf = 0,
                                  .minreq = kRequestBytes,
                                  .fragsize = kServerDecides};
  const auto flags = mode_ == Mode::Pulsed ? PA_STREAM_START_CORKED : PA_STREAM_NOFLAGS;
  return pa_stream_connect_playback(stream_, nullptr, &attributes, flags, nullptr, nullptr) >= 0;
}

void SilentAudio::on_stream_state(pa_stream* stream, void* self) {
  auto& audio = *static_cast<SilentAudio*>(self);
  const auto state = pa_stream_get_state(stream);
  if (state == PA_STREAM_READY) {
    audio.check_whether_born_silenced();
  } else if (!PA_STREAM_IS_GOOD(state)) {
    audio.fail(pa_strerror(pa_context_errno(audio.context_)));
  }
}

// A stream that is born during a call gets no request to cork, only muted: the server sends the request before we know
// our stream's number. So look around once.
void SilentAudio::check_whether_born_silenced() {
  state_ = State::Checking;
  pa_operation* asked = pa_context_get_sink_input_info_list(context_, &on_sink_input, this);
  if (asked == nullptr) {
    judge();
  }
  forget(asked);
}

void SilentAudio::on_sink_input(pa_context* /*context*/, const pa_sink_input_info* info, int end, void* self) {
  auto& audio = *static_cast<SilentAudio*>(self);
  if (end != 0) {
    audio.state_ == State::Checking ? audio.judge() : audio.judge_again();
  } else if (audio.stream_ != nullptr && info->index == pa_stream_get_index(audio.stream_)) {
    audio.muted_ = info->mute != 0;
  } else if (is_running_call(*info)) {
    audio.call_running_ = true;
  }
}

void SilentAudio::judge() {
  taken_by_call_ = muted_ && call_running_;
  // A sink sleeps while all its streams rest; whether it wakes is seen at the first pulse.
  sink_suspended_ = mode_ == Mode::Continuous && pa_stream_is_suspended(stream_) > 0;
  if (taken_by_call_ || sink_suspended_) {
    interrupt();
  } else {
    become_held();
  }
}

void SilentAudio::become_held() {
  state_ = State::Held;
  report_(StrategyEvent::Held);
  if (const auto length = std::exchange(pulse_wanted_, {}); length.count() > 0) {
    begin_pulse(length);
  }
}

void SilentAudio::on_stream_wants(pa_stream* stream, std::size_t bytes, void* /*self*/) {
  while (bytes > 0) {
    void* room = nullptr;
    std::size_t size = bytes;
    if (pa_stream_begin_write(stream, &room, &size) < 0 || room == nullptr || size == 0) {
      return;
    }
    size = size < bytes ? size : bytes;
    std::memset(room, kSilence, size);
    if (pa_stream_write(stream, room, size, nullptr, 0, PA_SEEK_RELATIVE) < 0) {
      return;
    }
    bytes -= size;
  }
}

void SilentAudio::on_stream_event(pa_stream* /*stream*/, const char* name, pa_proplist* /*details*/, void* self) {
  auto& audio = *static_cast<SilentAudio*>(self);
  if (std::strcmp(name, PA_STREAM_EVENT_REQUEST_CORK) == 0) {
    audio.taken_by_call_ = true;
    audio.interrupt();
  } else if (std::strcmp(name, PA_STREAM_EVENT_REQUEST_UNCORK) == 0) {
    if (std::exchange(audio.taken_by_call_, false)) {
      audio.end_interruption();
    }
  }
}

void SilentAudio::on_stream_suspended(pa_stream* /*stream*/, void* self) {
  static_cast<SilentAudio*>(self)->follow_suspension();
}

void SilentAudio::follow_suspension() {
  const bool suspended = pa_stream_is_suspended(stream_) > 0;
  if (suspended && state_ == State::Held && mode_ == Mode::Continuous) {
    sink_suspended_ = true;
    interrupt();
  } else if (!suspended && sink_suspended_) {
    sink_suspended_ = false;
    end_interruption();
  }
}

// Yields. For a suspended sink there is nothing to yield, and a corked stream would let it sleep for ever.
void SilentAudio::interrupt() {
  if (taken_by_call_) {
    pulsing_ = false;
    forget(pa_stream_cork(stream_, 1, &on_corked, this));
  }
  if (state_ == State::Checking || state_ == State::Held) {
    state_ = State::Interrupted;
    report_(StrategyEvent::Interrupted);
  }
}

// A call that ended before the server saw our cork got us no request to uncork: it sends that to corked streams only.
void SilentAudio::on_corked(pa_stream* /*stream*/, int /*success*/, void* self) {
  auto& audio = *static_cast<SilentAudio*>(self);
  audio.call_running_ = false;
  forget(pa_context_get_sink_input_info_list(audio.context_, &on_sink_input, self));
}

void SilentAudio::judge_again() {
  if (state_ == State::Interrupted && taken_by_call_ && !call_running_) {
    taken_by_call_ = false;
    end_interruption();
  }
}

void SilentAudio::end_interruption() {
  if (state_ == State::Interrupted && !taken_by_call_ && !sink_suspended_ && !silenced_) {
    report_(StrategyEvent::InterruptionEnded);
  }
}

void SilentAudio::fail(const char* what) {
  if (state_ == State::Dead) {
    return;
  }
  const bool was_there = state_ == State::Held || state_ == State::Interrupted;
  state_ = State::Dead;
  if (!was_there && !explained_) {
    explained_ = true;
    const auto words =
        fmt::format("fermata: no silent audio: {}; start a PulseAudio server or name one in PULSE_SERVER\n", what);
    std::fputs(words.c_str(), stderr);
  }
  report_(was_there ? StrategyEvent::Lost : StrategyEvent::Refused);
}

}  // namespace fermata::linux_platform
