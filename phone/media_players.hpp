// The phone's D-Bus: a private session bus, and a client of it that sees whether a media player (MPRIS) says "Playing".
#pragma once

#include <systemd/sd-bus.h>

#include <fermata/result.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "phone/loop.hpp"
#include "phone/proc.hpp"

namespace fermata::phone {

// Starts a session bus whose socket lies in `folder`; it starts no services and nothing of the user's is used. It ends
// with the returned child. Errors: NotFound, Io.
[[nodiscard]] Result<Child> start_session_bus(const std::string& folder);
[[nodiscard]] std::string session_bus_address(const std::string& folder);  // for DBUS_SESSION_BUS_ADDRESS

// Knows the players of a bus by their announcements.
class MediaPlayers {
 public:
  // Waits until the bus answers. Errors: Timeout, when it does not within 10 s; Io.
  [[nodiscard]] static Result<std::unique_ptr<MediaPlayers>> connect(Loop& loop, const std::string& address,
                                                                     std::function<void()> on_change);
  MediaPlayers(const MediaPlayers&) = delete;
  MediaPlayers& operator=(const MediaPlayers&) = delete;
  ~MediaPlayers();

  [[nodiscard]] bool is_playing() const;  // any of them

 private:
  struct Player {
    std::string owner;  // the unique name of its connection
    bool playing = false;
  };

  MediaPlayers(sd_bus* bus, std::function<void()> on_change) : bus_(bus), on_change_(std::move(on_change)) {}
  [[nodiscard]] Status watch(Loop& loop);
  void process();
  void ask(const std::string& owner);
  void set_status(const std::string& owner, std::string_view status);
  static int on_name(sd_bus_message* message, void* self, sd_bus_error* error);
  static int on_properties(sd_bus_message* message, void* self, sd_bus_error* error);
  static int on_status(sd_bus_message* message, void* self, sd_bus_error* error);

  sd_bus* bus_;
  std::function<void()> on_change_;
  std::unique_ptr<Loop::Watch> watch_;
  std::map<std::string, Player> players_;  // by well-known name
};

}  // namespace fermata::phone
