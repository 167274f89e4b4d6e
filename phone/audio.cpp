#include "phone/audio.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pulse/error.h>
#include <pulse/proplist.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "phone/pulse_operation.hpp"

namespace fermata::phone {
namespace {

constexpr Millis kFirstRetry{10};
constexpr Millis kLongestRetry{500};

// A variable of our environment, put back at the end of the scope.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    setenv(name, value.c_str(), 1);
  }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;
  ~ScopedVariable() {
    if (old_)
      setenv(name_, old_->c_str(), 1);
    else
      unsetenv(name_);
  }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

// A call needs no short latency: as few wake-ups as possible, so that it does not disturb what is measured.
pa_stream* make_call_stream(pa_context* context, Interruption kind) {
  const pa_sample_spec spec{PA_SAMPLE_U8, 8000, 1};
  pa_proplist* properties = pa_proplist_new();
  const bool is_call = kind == Interruption::Call;
  pa_proplist_sets(properties, PA_PROP_MEDIA_ROLE, is_call ? "phone" : "alarm");
  pa_stream* stream =
      pa_stream_new_with_proplist(context, is_call ? "phone call" : "alarm", &spec, nullptr, properties);
  pa_proplist_free(properties);
  return stream;
}

bool start_call_stream(pa_stream* stream) {
  const auto write_silence = [](pa_stream* out, std::size_t wanted, void*) {
    while (wanted > 0) {
      void* data = nullptr;
      std::size_t size = wanted;
      if (pa_stream_begin_write(out, &data, &size) != 0 || !data || size == 0) return;
      std::memset(data, 0x80, size);  // silence of unsigned samples
      pa_stream_write(out, data, size, nullptr, 0, PA_SEEK_RELATIVE);
      wanted -= std::min(wanted, size);
    }
  };
  pa_stream_set_write_callback(stream, write_silence, nullptr);
  constexpr std::uint32_t kBytesPerSecond = 8000;
  pa_buffer_attr buffer{};
  buffer.maxlength = buffer.prebuf = buffer.fragsize = static_cast<std::uint32_t>(-1);
  buffer.tlength = 10 * kBytesPerSecond;
  buffer.minreq = 4 * kBytesPerSecond;  // at half of tlength or above the server would spin
  return pa_stream_connect_playback(stream, nullptr, &buffer, PA_STREAM_ADJUST_LATENCY, nullptr, nullptr) == 0;
}

}  // namespace

std::string audio_server_address(const std::string& folder) {
  return fmt::format("unix:{}/pulse.socket", folder);
}

Result<Child> start_audio_server(const std::string& folder) {
  const std::string log = folder + "/pulse.log";
  const Fd output(open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  Child::Plan plan;
  plan.output = output.value();
  plan.command = {"pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
                  "--high-priority=no", "--realtime=no", "--log-target=stderr", "--log-level=warn", "-L",
                  "module-null-sink sink_name=phone", "-L",
                  "module-role-cork trigger_roles=phone,alarm cork_roles=music,video",
                  // Last: who can connect finds everything in place.
                  "-L", fmt::format("module-native-protocol-unix auth-anonymous=1 socket=\"{}/pulse.socket\"", folder)};
  plan.environment = environment_with({{"HOME", folder},
                                       {"XDG_RUNTIME_DIR", folder},
                                       {"XDG_CONFIG_HOME", folder},
                                       {"PULSE_RUNTIME_PATH", folder + "/pulse"},
                                       {"PULSE_STATE_PATH", folder + "/pulse"},
                                       {"PULSE_SERVER", ""}});
  auto server = Child::prepare(plan);
  if (!server) return server;
  if (Status started = server->let_go(); !started)
    return fail(started.error().code, started.error().message + "; install pulseaudio");
  return server;
}

Audio::Audio(Loop& loop, std::string address, const std::string& folder, Callbacks callbacks)
    : loop_(loop), address_(std::move(address)), folder_(folder), callbacks_(std::move(callbacks)) {
  retry_ = loop_.timer([this] { connect(); });
  connect();
}

Audio::~Audio() {
  callbacks_ = {};
  disconnect();
}

void Audio::connect() {
  disconnect();
  {
    // Or libpulse would make its files in the user's home.
    const ScopedVariable runtime("PULSE_RUNTIME_PATH", folder_ + "/client");
    const ScopedVariable cookie("PULSE_COOKIE", folder_ + "/cookie");
    context_ = pa_context_new(loop_.pulse_api(), "fermata phone");
    const auto on_state = [](pa_context*, void* self) { static_cast<Audio*>(self)->on_context_state(); };
    pa_context_set_state_callback(context_, on_state, this);
    if (pa_context_connect(context_, address_.c_str(), PA_CONTEXT_NOAUTOSPAWN, nullptr) == 0) return;
  }
  on_lost();
}

void Audio::disconnect() {
  forget_calls();
  streams_.clear();
  if (!context_) return;
  pa_context_set_state_callback(context_, nullptr, nullptr);
  pa_context_set_subscribe_callback(context_, nullptr, nullptr);
  pa_context_disconnect(context_);
  pa_context_unref(context_);
  context_ = nullptr;
}

void Audio::on_context_state() {
  const pa_context_state_t state = pa_context_get_state(context_);
  if (state == PA_CONTEXT_READY) on_ready();
  if (!PA_CONTEXT_IS_GOOD(state)) on_lost();
}

void Audio::on_ready() {
  constexpr auto kWatched =
      static_cast<pa_subscription_mask_t>(PA_SUBSCRIPTION_MASK_SINK_INPUT | PA_SUBSCRIPTION_MASK_SINK);
  retry_after_ = Millis(0);
  pa_context_set_subscribe_callback(context_, &Audio::on_event, this);
  forget(pa_context_subscribe(context_, kWatched, nullptr, nullptr));
  forget(pa_context_get_sink_input_info_list(context_, &Audio::on_stream, this));
  const auto on_server = [](pa_context*, const pa_server_info* info, void* self) {
    auto& audio = *static_cast<Audio*>(self);
    if (!info) return;
    // PipeWire's server says so in its name, "PulseAudio (on PipeWire 0.3.65)".
    const std::string_view name = info->server_name ? info->server_name : "";
    audio.server_name_ = name == "pulseaudio" ? fmt::format("PulseAudio {}", info->server_version) : std::string(name);
    audio.connected_ = true;
    if (audio.callbacks_.on_connection) audio.callbacks_.on_connection();
  };
  forget(pa_context_get_server_info(context_, on_server, this));
}

// The context itself is only replaced when the timer fires: we may be inside one of its callbacks.
void Audio::on_lost() {
  streams_.clear();
  route_killed_ = false;
  route_lost_ = false;  // the next server begins with a sink that works
  forget_calls();
  retry_after_ = std::clamp(retry_after_ * 2, kFirstRetry, kLongestRetry);
  retry_->arm(Loop::now() + retry_after_);
  if (!std::exchange(connected_, false)) return;
  if (callbacks_.on_change) callbacks_.on_change();
  if (callbacks_.on_connection) callbacks_.on_connection();
}

std::vector<pid_t> Audio::playing() const {
  std::vector<pid_t> pids;
  if (route_lost_) return pids;
  for (const auto& [index, stream] : streams_) {
    // During a call module-role-cork mutes what it asks to cork: an app that ignores the request is silent all the
    // same.
    if (!stream.corked && !(stream.muted && in_call())) pids.push_back(stream.pid);
  }
  return pids;
}

Status Audio::interrupt(Interruption kind, Millis duration) {
  if (!connected_) return fail(ErrorCode::Closed, "no call is possible: the audio server is not there");
  pa_stream* stream = make_call_stream(context_, kind);
  if (!stream)
    return fail(ErrorCode::Io, fmt::format("no call is possible: {}", pa_strerror(pa_context_errno(context_))));
  auto call = std::make_unique<Call>(Call{this, kind, stream, duration, nullptr, false});
  // Hanging up ends in the stream's state callback, which owns the rest.
  call->hang_up = loop_.timer([stream] { pa_stream_disconnect(stream); });
  const auto on_state = [](pa_stream*, void* self) {
    Call& changed = *static_cast<Call*>(self);
    changed.audio->on_call_state(changed);
  };
  pa_stream_set_state_callback(stream, on_state, call.get());
  Call& added = *calls_.emplace_back(std::move(call));
  if (!start_call_stream(stream)) {
    end_call(added);
    return fail(ErrorCode::Io, fmt::format("no call is possible: {}", pa_strerror(pa_context_errno(context_))));
  }
  return {};
}

void Audio::on_call_state(Call& call) {
  const pa_stream_state_t state = pa_stream_get_state(call.stream);
  if (state == PA_STREAM_READY) {
    call.began = true;
    call.hang_up->arm(Loop::now() + call.duration);
    if (callbacks_.on_call_begin) callbacks_.on_call_begin(call.kind);
    if (callbacks_.on_change) callbacks_.on_change();
  }
  if (!PA_STREAM_IS_GOOD(state)) end_call(call);
}

void Audio::end_call(const Call& call) {
  const auto found =
      std::find_if(calls_.begin(), calls_.end(), [&](const auto& candidate) { return candidate.get() == &call; });
  if (found == calls_.end()) return;
  const std::unique_ptr<Call> ended = std::move(*found);
  calls_.erase(found);
  pa_stream_set_state_callback(ended->stream, nullptr, nullptr);
  pa_stream_unref(ended->stream);
  if (ended->began && callbacks_.on_call_end) callbacks_.on_call_end(ended->kind);
  if (callbacks_.on_change) callbacks_.on_change();
}

void Audio::forget_calls() {
  while (!calls_.empty()) end_call(*calls_.back());
}

void Audio::on_event(pa_context* context, pa_subscription_event_type_t type, std::uint32_t index, void* self) {
  auto& audio = *static_cast<Audio*>(self);
  const bool removed = (type & PA_SUBSCRIPTION_EVENT_TYPE_MASK) == PA_SUBSCRIPTION_EVENT_REMOVE;
  if ((type & PA_SUBSCRIPTION_EVENT_FACILITY_MASK) == PA_SUBSCRIPTION_EVENT_SINK) {
    if (removed) audio.on_sink_gone();
    return;
  }
  if (removed) {
    audio.streams_.erase(index);
    if (audio.callbacks_.on_change) audio.callbacks_.on_change();
    return;
  }
  forget(pa_context_get_sink_input_info(context, index, &Audio::on_stream, self));
}

void Audio::on_stream(pa_context*, const pa_sink_input_info* info, int end, void* self) {
  if (end != 0 || !info) return;
  auto& audio = *static_cast<Audio*>(self);
  Stream stream{0, info->corked != 0, info->mute != 0};
  if (const char* pid = pa_proplist_gets(info->proplist, PA_PROP_APPLICATION_PROCESS_ID))
    std::from_chars(pid, pid + std::strlen(pid), stream.pid);
  audio.streams_[info->index] = stream;
  if (audio.callbacks_.on_change) audio.callbacks_.on_change();
}

}  // namespace fermata::phone
