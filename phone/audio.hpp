// The phone's audio: a private PulseAudio server, and a client of it that sees who plays and makes the phone calls.
#pragma once

#include <pulse/context.h>
#include <pulse/introspect.h>
#include <pulse/stream.h>
#include <pulse/subscribe.h>
#include <sys/types.h>

#include <cstdint>
#include <fermata/result.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "phone/loop.hpp"
#include "phone/policy.hpp"
#include "phone/proc.hpp"

namespace fermata::phone {

enum class Interruption : std::uint8_t { Call, Alarm };
enum class RouteChange : std::uint8_t {
  Lost,    // every sink is suspended: streams stand still
  Back,    // and resumed
  Moved,   // a new sink appears and the others go: streams move over
  Killed,  // every sink goes: streams are killed; then there is a new sink, for those that come next
};

// Starts a PulseAudio server with a null sink and module-role-cork, whose socket, home and state lie in `folder`;
// nothing of the user's own audio is used or changed. It ends with the returned child. Errors: NotFound, Io.
[[nodiscard]] Result<Child> start_audio_server(const std::string& folder);
[[nodiscard]] std::string audio_server_address(const std::string& folder);  // for PULSE_SERVER

// Knows the streams of a server by its own announcements; connects, and connects again when the server went away.
class Audio {
 public:
  struct Callbacks {
    std::function<void()> on_change;      // who plays may have changed, or a call began or ended
    std::function<void()> on_connection;  // is_connected() changed
    std::function<void(Interruption)> on_call_begin;
    std::function<void(Interruption)> on_call_end;
  };

  // Starts to connect at once. `folder`: for libpulse's own files.
  Audio(Loop& loop, std::string address, const std::string& folder, Callbacks callbacks);
  Audio(const Audio&) = delete;
  Audio& operator=(const Audio&) = delete;
  ~Audio();

  [[nodiscard]] bool is_connected() const { return connected_; }
  [[nodiscard]] const std::string& server_name() const {
    return server_name_;
  }  // "PulseAudio 16.1"; empty until connected
  // The processes with a running playback stream: not corked, not silenced by the server for a call, and not without a
  // route.
  [[nodiscard]] std::vector<pid_t> playing() const;

  // A stream with media.role=phone, or alarm, for that long; they may overlap. Errors: Closed, when there is no server.
  [[nodiscard]] Status interrupt(Interruption kind, Millis duration);
  [[nodiscard]] bool in_call() const { return !calls_.empty(); }  // or in an alarm
  // Asks for it; streams learn of it a moment later. Errors: Closed, when there is no server.
  [[nodiscard]] Status change_route(RouteChange change);

 private:
  struct Stream {
    pid_t pid;
    bool corked;
    bool muted;
  };
  struct Call {
    Audio* audio;
    Interruption kind;
    pa_stream* stream;
    Millis duration;
    std::unique_ptr<Loop::Timer> hang_up;
    bool began;
  };

  void connect();
  void disconnect();
  void on_context_state();
  void on_ready();
  void on_lost();
  void on_call_state(Call& call);
  void end_call(const Call& call);
  void forget_calls();
  void unload_sinks(std::uint32_t but_module);
  void on_sink_gone();
  static void on_event(pa_context* context, pa_subscription_event_type_t type, std::uint32_t index, void* self);
  static void on_stream(pa_context* context, const pa_sink_input_info* info, int end, void* self);

  Loop& loop_;
  std::string address_;
  std::string folder_;
  Callbacks callbacks_;
  pa_context* context_ = nullptr;
  bool connected_ = false;
  std::string server_name_;
  std::map<std::uint32_t, Stream> streams_;  // by the server's index
  std::vector<std::unique_ptr<Call>> calls_;
  bool route_lost_ = false;
  bool route_killed_ = false;  // a new sink is due as soon as the old ones are gone
  int routes_made_ = 0;
  Millis retry_after_{0};
  std::unique_ptr<Loop::Timer> retry_;
};

}  // namespace fermata::phone
