#include "phone/media_players.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>

namespace fermata::phone {
namespace {

constexpr std::chrono::seconds kConnectLimit{10};
constexpr std::chrono::milliseconds kBusRetry{10};
constexpr char kPlayer[] = "org.mpris.MediaPlayer2.Player";
constexpr char kStatus[] = "PlaybackStatus";

// "Playing" or another text; empty: the message holds no such property.
std::string changed_status(sd_bus_message* message) {
  std::string status;
  if (sd_bus_message_enter_container(message, 'a', "{sv}") < 0) return status;
  while (sd_bus_message_enter_container(message, 'e', "sv") > 0) {
    const char* key = nullptr;
    const char* value = nullptr;
    sd_bus_message_read(message, "s", &key);
    if (key && std::strcmp(key, kStatus) == 0) {
      if (sd_bus_message_read(message, "v", "s", &value) >= 0 && value) status = value;
    } else {
      sd_bus_message_skip(message, "v");
    }
    sd_bus_message_exit_container(message);
  }
  sd_bus_message_exit_container(message);
  return status;
}

// A connection on which a signal arrives once it is there; nothing while the bus does not answer.
sd_bus* try_connect(const std::string& address) {
  sd_bus* bus = nullptr;
  if (sd_bus_new(&bus) < 0) return nullptr;
  const char* name = nullptr;  // known once the bus has answered
  if (sd_bus_set_address(bus, address.c_str()) >= 0 && sd_bus_set_bus_client(bus, 1) >= 0 && sd_bus_start(bus) >= 0 &&
      sd_bus_get_unique_name(bus, &name) >= 0)
    return bus;
  sd_bus_close_unref(bus);
  return nullptr;
}

}  // namespace

std::string session_bus_address(const std::string& folder) {
  return fmt::format("unix:path={}/bus.socket", folder);
}

Result<Child> start_session_bus(const std::string& folder) {
  const std::string config = folder + "/bus.conf";
  std::ofstream(config) << fmt::format(
      "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" "
      "\"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
      "<busconfig><type>session</type><listen>{}</listen><policy context=\"default\"><allow user=\"*\"/>"
      "<allow own=\"*\"/><allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/>"
      "</policy></busconfig>\n",
      session_bus_address(folder));
  const Fd output(open((folder + "/bus.log").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  Child::Plan plan;
  plan.output = output.value();
  plan.command = {"dbus-daemon", "--nofork", "--nopidfile", "--nosyslog", "--config-file=" + config};
  plan.environment = environment_with({});
  auto bus = Child::prepare(plan);
  if (!bus) return bus;
  if (Status started = bus->let_go(); !started)
    return fail(started.error().code, started.error().message + "; install dbus-daemon");
  return bus;
}

Result<std::unique_ptr<MediaPlayers>> MediaPlayers::connect(Loop& loop, const std::string& address,
                                                            std::function<void()> on_change) {
  const auto deadline = Loop::now() + kConnectLimit;
  sd_bus* bus = try_connect(address);
  while (!bus && Loop::now() < deadline) {
    loop.run_until([] { return false; }, Loop::now() + kBusRetry);
    bus = try_connect(address);
  }
  if (!bus) return fail(ErrorCode::Timeout, fmt::format("the private session bus does not answer at {}", address));
  std::unique_ptr<MediaPlayers> players(new MediaPlayers(bus, std::move(on_change)));
  if (Status watching = players->watch(loop); !watching) return fail(std::move(watching.error()));
  return players;
}

MediaPlayers::~MediaPlayers() {
  watch_.reset();
  sd_bus_close_unref(bus_);
}

Status MediaPlayers::watch(Loop& loop) {
  const std::string properties = fmt::format(
      "type='signal',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',arg0='{}'", kPlayer);
  const char* names =
      "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0namespace='org.mpris.MediaPlayer2'";
  int result = sd_bus_add_match(bus_, nullptr, names, &MediaPlayers::on_name, this);
  if (result >= 0) result = sd_bus_add_match(bus_, nullptr, properties.c_str(), &MediaPlayers::on_properties, this);
  if (result < 0)
    return fail(ErrorCode::Io, fmt::format("cannot watch the media players on the bus: {}", std::strerror(-result)));
  watch_ = loop.watch(sd_bus_get_fd(bus_), [this] { process(); });
  process();
  return {};
}

bool MediaPlayers::is_playing() const {
  return std::any_of(players_.begin(), players_.end(), [](const auto& player) { return player.second.playing; });
}

void MediaPlayers::process() {
  int result = 0;
  while ((result = sd_bus_process(bus_, nullptr)) > 0) {
  }
  if (result >= 0) return;
  watch_.reset();  // the bus is gone, and with it every player
  if (players_.empty()) return;
  players_.clear();
  on_change_();
}

// A frozen player does not answer; what it said last counts until it does.
void MediaPlayers::ask(const std::string& owner) {
  sd_bus_call_method_async(bus_, nullptr, owner.c_str(), "/org/mpris/MediaPlayer2", "org.freedesktop.DBus.Properties",
                           "Get", &MediaPlayers::on_status, this, "ss", kPlayer, kStatus);
  sd_bus_flush(bus_);
}

void MediaPlayers::set_status(const std::string& owner, std::string_view status) {
  for (auto& [name, player] : players_)
    if (player.owner == owner) player.playing = status == "Playing";
  on_change_();
}

int MediaPlayers::on_name(sd_bus_message* message, void* self, sd_bus_error*) {
  auto& players = *static_cast<MediaPlayers*>(self);
  const char* name = nullptr;
  const char* old_owner = nullptr;
  const char* new_owner = nullptr;
  if (sd_bus_message_read(message, "sss", &name, &old_owner, &new_owner) < 0) return 0;
  if (*new_owner) {
    players.players_[name] = Player{new_owner, false};
    players.ask(new_owner);
  } else {
    players.players_.erase(name);
  }
  players.on_change_();
  return 0;
}

int MediaPlayers::on_properties(sd_bus_message* message, void* self, sd_bus_error*) {
  auto& players = *static_cast<MediaPlayers*>(self);
  const char* sender = sd_bus_message_get_sender(message);
  if (!sender || sd_bus_message_skip(message, "s") < 0) return 0;
  const std::string status = changed_status(message);
  if (!status.empty()) {
    players.set_status(sender, status);
  } else {
    players.ask(sender);  // announced without its value, or another property
  }
  return 0;
}

int MediaPlayers::on_status(sd_bus_message* message, void* self, sd_bus_error*) {
  const char* sender = sd_bus_message_get_sender(message);
  const char* status = nullptr;
  if (sender && !sd_bus_message_is_method_error(message, nullptr) &&
      sd_bus_message_read(message, "v", "s", &status) >= 0 && status)
    static_cast<MediaPlayers*>(self)->set_status(sender, status);
  return 0;
}

}  // namespace fermata::phone
