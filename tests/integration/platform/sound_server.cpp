#include "integration/platform/sound_server.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "integration/platform/eventually.hpp"

namespace fermata {
namespace {

// What stands between `before` and the end of the line or, if that comes first, `after`.
std::string value_of(const std::string& block, const std::string& before, char after = '\n') {
  const auto found = block.find(before);
  if (found == std::string::npos) {
    return {};
  }
  const auto begin = found + before.size();
  return block.substr(begin, std::min(block.find(after, begin), block.find('\n', begin)) - begin);
}

// The file alone tells nothing: a killed server leaves its own behind.
bool somebody_listens_on(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool answered = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return answered;
}

}  // namespace

SoundServer::SoundServer(Kind kind) : kind_(kind) {
  const bool pipewire = kind_ == Kind::PipeWire;
  address_ = "unix:" + directory_.path() + (pipewire ? "/pulse/native" : "/native");
  ::setenv("PULSE_SERVER", address_.c_str(), 1);
  if (pipewire) {
    bus_ = std::make_unique<MessageBus>("DBUS_SESSION_BUS_ADDRESS", directory_.path());
  }
  start();
}

SoundServer::~SoundServer() {
  ::unsetenv("PULSE_SERVER");
}

void SoundServer::start() {
  kind_ == Kind::PipeWire ? start_pipewire() : start_pulseaudio();
  ASSERT_TRUE(eventually([this] { return pactl("info").find("Server Name") != std::string::npos; })) << log();
  if (kind_ == Kind::PipeWire) {
    pactl("load-module module-null-sink sink_name=null0");
    ASSERT_TRUE(eventually([this] { return pactl("info").find("Default Sink: null0") != std::string::npos; })) << log();
  }
}

void SoundServer::start_pulseaudio() {
  const std::string& home = directory_.path();
  server_ = std::make_unique<Child>(
      std::vector<std::string>{"pulseaudio", "-n", "--exit-idle-time=-1", "--daemonize=no", "--use-pid-file=no",
                               "--log-target=stderr", "-L", "module-null-sink sink_name=null0", "-L",
                               "module-native-protocol-unix auth-anonymous=1 socket=" + home + "/native", "-L",
                               "module-role-cork trigger_roles=phone cork_roles=music,video", "-L",
                               "module-always-sink"},
      std::vector<std::string>{"XDG_RUNTIME_DIR=" + home, "HOME=" + home, "PULSE_RUNTIME_PATH=" + home,
                               "DBUS_SESSION_BUS_ADDRESS=none:", "DBUS_SYSTEM_BUS_ADDRESS=none:"},
      home + "/log");
}

void SoundServer::start_pipewire() {
  const std::string& home = directory_.path();
  const auto part = [&](const std::string& name) {
    return std::make_unique<Child>(
        std::vector<std::string>{name},
        std::vector<std::string>{"XDG_RUNTIME_DIR=" + home, "HOME=" + home, "XDG_CONFIG_HOME=" + home + "/config",
                                 "XDG_STATE_HOME=" + home + "/state", "DBUS_SYSTEM_BUS_ADDRESS=none:"},
        home + "/log");
  };
  core_ = part("pipewire");
  EXPECT_TRUE(eventually([&] { return somebody_listens_on(home + "/pipewire-0"); })) << log();
  manager_ = part("wireplumber");
  server_ = part("pipewire-pulse");
}

void SoundServer::kill() {
  server_.reset();
  manager_.reset();
  core_.reset();
}

std::vector<pid_t> SoundServer::pids() const {
  return core_ ? std::vector{core_->pid(), server_->pid()} : std::vector{server_->pid()};
}

std::unique_ptr<Child> SoundServer::call() {
  const std::size_t before = running_calls();
  auto child = std::make_unique<Child>(
      std::vector<std::string>{"pacat", "--playback", "--property=media.role=phone", "--raw", "/dev/zero"},
      std::vector<std::string>{}, directory_.path() + "/log");
  EXPECT_TRUE(eventually([&] { return running_calls() > before; })) << log();
  return child;
}

std::size_t SoundServer::running_calls() const {
  const std::string all = pactl("list sink-inputs"), mark = "media.role = \"phone\"";
  std::size_t count = 0;
  for (std::size_t at = all.find(mark); at != std::string::npos; at = all.find(mark, at + 1)) ++count;
  return count;
}

SeenStream SoundServer::our_stream() const {
  const std::string all = pactl("list sink-inputs");
  const std::string ours = "application.process.id = \"" + std::to_string(::getpid()) + "\"";
  for (std::size_t begin = all.find("Sink Input #"); begin != std::string::npos;) {
    const std::size_t end = all.find("Sink Input #", begin + 1);
    const std::string block = all.substr(begin, end == std::string::npos ? end : end - begin);
    if (block.find(ours) != std::string::npos) {
      return {.there = true,
              .corked = value_of(block, "Corked: ") == "yes",
              .muted = value_of(block, "Mute: ") == "yes",
              .index = value_of(block, "Sink Input #"),
              .sink = value_of(block, "Sink: "),
              .role = value_of(block, "media.role = \"", '"'),
              .format = value_of(block, "Sample Specification: ")};
    }
    begin = end;
  }
  return {};
}

bool SoundServer::await_stream(bool there, bool corked) const {
  return eventually([&] {
    const SeenStream seen = our_stream();
    return seen.there == there && (!there || seen.corked == corked);
  });
}

bool SoundServer::await_sink(const std::string& state) const {
  return eventually([&] { return pactl("list short sinks").find(state) != std::string::npos; });
}

std::string SoundServer::pactl(const std::string& arguments) const {
  return output_of("LC_ALL=C PULSE_SERVER=" + address_ + " pactl " + arguments + " 2>/dev/null");
}

std::string SoundServer::link(const std::string& arguments) const {
  return output_of("XDG_RUNTIME_DIR=" + directory_.path() + " pw-link " + arguments + " 2>/dev/null");
}

void SoundServer::silence_our_stream() const {
  const auto is_linked = [this] { return link("--links").find("Fermata:output") != std::string::npos; };
  EXPECT_TRUE(eventually(is_linked)) << link("--output");
  for (const std::string side : {"FL", "FR"}) {
    link("--disconnect Fermata:output_" + side + " null0:playback_" + side);
  }
  EXPECT_FALSE(is_linked()) << link("--links");
}

void SoundServer::let_our_stream_run() const {
  link("Fermata:output_FL null0:playback_FL");
}

std::string SoundServer::log() const {
  std::ifstream file(directory_.path() + "/log");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace fermata
