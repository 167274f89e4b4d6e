// Pulses: uncork, wait, look whether it was heard, cork. Everything runs on the mainloop's thread or under its lock.
#include <pulse/rtclock.h>
#include <pulse/subscribe.h>

#include "pulse_operation.hpp"
#include "silent_audio.hpp"

namespace fermata::linux_platform {
namespace {

// A sink that slept while we rested needs a moment to wake, a real sound card more than most.
constexpr std::chrono::milliseconds kSinkWakes(500);

}  // namespace

void SilentAudio::pulse(std::chrono::milliseconds length) {
  if (mainloop_ == nullptr || mode_ != Mode::Pulsed || length.count() <= 0) {
    return;
  }
  pa_threaded_mainloop_lock(mainloop_);
  if (state_ == State::Held) {
    begin_pulse(length);
  } else if (state_ == State::Starting || state_ == State::Checking) {
    pulse_wanted_ = length;
  }
  pa_threaded_mainloop_unlock(mainloop_);
}

void SilentAudio::begin_pulse(std::chrono::milliseconds length) {
  pulse_length_ = length;
  waited_for_sink_ = false;
  if (pulsing_ && pulse_end_ != nullptr) {
    end_pulse_in(length);
  } else {
    pulsing_ = true;
    forget(pa_stream_cork(stream_, 0, &on_uncorked, this));
  }
}

void SilentAudio::on_uncorked(pa_stream* /*stream*/, int success, void* self) {
  auto& audio = *static_cast<SilentAudio*>(self);
  if (success != 0 && audio.pulsing_ && audio.state_ == State::Held) {
    audio.end_pulse_in(audio.pulse_length_);
  }
}

void SilentAudio::end_pulse_in(std::chrono::milliseconds delay) {
  const pa_usec_t at = pa_rtclock_now() + static_cast<pa_usec_t>(std::chrono::microseconds(delay).count());
  if (pulse_end_ == nullptr) {
    pulse_end_ = pa_context_rttime_new(context_, at, &on_pulse_end, this);
  } else {
    pa_context_rttime_restart(context_, pulse_end_, at);
  }
}

void SilentAudio::on_pulse_end(pa_mainloop_api* /*api*/, pa_time_event* /*timer*/, const timeval* /*when*/,
                               void* self) {
  auto& audio = *static_cast<SilentAudio*>(self);
  audio.forget_pulse_end();
  if (audio.state_ == State::Held && audio.pulsing_) {
    audio.judge_pulse();
  }
}

void SilentAudio::judge_pulse() {
  const bool suspended = pa_stream_is_suspended(stream_) > 0;
  if (suspended && !waited_for_sink_) {
    waited_for_sink_ = true;
    end_pulse_in(kSinkWakes);
  } else if (suspended) {
    sink_suspended_ = true;
    interrupt();
  } else if (on_pipewire_) {
    look_at_our_stream();
  } else {
    rest();
  }
}

void SilentAudio::rest() {
  pulsing_ = false;
  forget(pa_stream_cork(stream_, 1, nullptr, nullptr));
}

void SilentAudio::look_at_our_stream() {
  forget(pa_context_get_sink_input_info(context_, pa_stream_get_index(stream_), &on_our_stream, this));
}

// On PipeWire "corked" means that it does not run, whoever wished that.
void SilentAudio::on_our_stream(pa_context* /*context*/, const pa_sink_input_info* info, int end, void* self) {
  auto& audio = *static_cast<SilentAudio*>(self);
  if (end != 0 || info == nullptr || !audio.pulsing_) {
    return;
  }
  const bool runs = info->corked == 0;
  if (audio.state_ == State::Held && audio.pulse_end_ == nullptr) {
    if (runs) {
      audio.rest();
    } else if (!audio.waited_for_sink_) {
      audio.waited_for_sink_ = true;
      audio.end_pulse_in(kSinkWakes);
    } else {
      audio.silenced_ = true;
      audio.watch_changes(PA_SUBSCRIPTION_MASK_SINK_INPUT);
      audio.interrupt();
    }
  } else if (audio.state_ == State::Interrupted && audio.silenced_ && runs) {
    audio.silenced_ = false;
    audio.watch_changes(PA_SUBSCRIPTION_MASK_NULL);
    audio.end_interruption();
  }
}

// Only while interrupted: each change of any stream wakes us.
void SilentAudio::watch_changes(pa_subscription_mask_t mask) {
  pa_context_set_subscribe_callback(context_, mask == PA_SUBSCRIPTION_MASK_NULL ? nullptr : &on_change, this);
  forget(pa_context_subscribe(context_, mask, nullptr, nullptr));
  if (mask != PA_SUBSCRIPTION_MASK_NULL) {
    look_at_our_stream();  // it may have begun to run before the server heard of our interest
  }
}

void SilentAudio::on_change(pa_context* /*context*/, pa_subscription_event_type_t /*what*/, std::uint32_t index,
                            void* self) {
  auto& audio = *static_cast<SilentAudio*>(self);
  if (audio.stream_ != nullptr && index == pa_stream_get_index(audio.stream_)) {
    audio.look_at_our_stream();
  }
}

void SilentAudio::forget_pulse_end() {
  if (pulse_end_ != nullptr) {
    pa_threaded_mainloop_get_api(mainloop_)->time_free(pulse_end_);
    pulse_end_ = nullptr;
  }
}

void SilentAudio::forget_pulse() {
  forget_pulse_end();
  pulsing_ = false;
  pulse_wanted_ = {};
}

}  // namespace fermata::linux_platform
