#include "media_player.hpp"

#include <fmt/format.h>
#include <sdbus-c++/Error.h>
#include <sdbus-c++/IConnection.h>
#include <sdbus-c++/IObject.h>
#include <sdbus-c++/Message.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <map>
#include <string>
#include <vector>

namespace fermata::linux_platform {
namespace {

using namespace std::chrono_literals;

constexpr const char* kPlayerPath = "/org/mpris/MediaPlayer2";
constexpr const char* kRoot = "org.mpris.MediaPlayer2";
constexpr const char* kPlayer = "org.mpris.MediaPlayer2.Player";
// Between the release and the acquisition of one new attempt; more means that the app was back on the screen meanwhile.
constexpr auto kSameAttempt = 5s;

template <class Value>
void constant(sdbus::IObject& object, const std::string& interface, const char* name, const char* signature,
              Value value) {
  object.registerProperty(interface, name, signature,
                          [value = std::move(value)](sdbus::PropertyGetReply& reply) { reply << value; });
}

void answer(const sdbus::MethodCall& call) {
  call.createReply().send();
}

void add_root(sdbus::IObject& object) {
  object.registerMethod(kRoot, "Raise", "", "", &answer);
  object.registerMethod(kRoot, "Quit", "", "", &answer);
  for (const char* unable : {"CanQuit", "CanRaise", "HasTrackList"}) {
    constant(object, kRoot, unable, "b", false);
  }
  constant(object, kRoot, "Identity", "s", fmt::format("{} (Fermata)", program_invocation_short_name));
  for (const char* none : {"SupportedUriSchemes", "SupportedMimeTypes"}) {
    constant(object, kRoot, none, "as", std::vector<std::string>{});
  }
}

void add_constants(sdbus::IObject& object) {
  for (const char* unable : {"CanGoNext", "CanGoPrevious", "CanSeek"}) {
    constant(object, kPlayer, unable, "b", false);
  }
  for (const char* able : {"CanPlay", "CanPause", "CanControl"}) {
    constant(object, kPlayer, able, "b", true);
  }
  for (const char* one : {"Rate", "MinimumRate", "MaximumRate", "Volume"}) {
    constant(object, kPlayer, one, "d", 1.0);
  }
  constant(object, kPlayer, "Position", "x", std::int64_t{0});
  constant(
      object, kPlayer, "Metadata", "a{sv}",
      std::map<std::string, sdbus::Variant>{{"mpris:trackid", sdbus::Variant(sdbus::ObjectPath("/fermata/silence"))},
                                            {"xesam:title", sdbus::Variant(std::string("Syncing documents"))}});
  object.registerMethod(kPlayer, "Next", "", "", &answer);
  object.registerMethod(kPlayer, "Previous", "", "", &answer);
  object.registerMethod(kPlayer, "Seek", "x", "", &answer);
  object.registerMethod(kPlayer, "SetPosition", "ox", "", &answer);
  object.registerMethod(kPlayer, "OpenUri", "s", "", &answer);
  object.registerSignal(kPlayer, "Seeked", "x");
}

}  // namespace

// What the bus serves. `stage` is read by the owner; the rest happens on the bus's thread.
struct MediaPlayer::Player {
  enum class Stage : std::uint8_t { Starting, Playing, Paused, Gone };

  explicit Player(const Report& given) : report(given) {}

  std::shared_ptr<void> appear(sdbus::IConnection& connection, Stage first);
  void add_controls(sdbus::IObject& object);
  void set_playing(sdbus::IObject& object, Stage next);
  void disappear();

  const Report report;
  std::atomic<Stage> stage = Stage::Starting;
};

std::shared_ptr<void> MediaPlayer::Player::appear(sdbus::IConnection& connection, Stage first) {
  std::shared_ptr<sdbus::IObject> object = sdbus::createObject(connection, kPlayerPath);
  add_root(*object);
  add_constants(*object);
  add_controls(*object);
  object->finishRegistration();
  stage = first;  // whoever sees the name appear asks for the status at once
  try {
    connection.requestName(fmt::format("org.mpris.MediaPlayer2.fermata.instance{}", ::getpid()));
  } catch (const sdbus::Error&) {
    stage = Stage::Starting;
    throw;
  }
  object->emitPropertiesChangedSignal(kPlayer, {"PlaybackStatus"});
  report(first == Stage::Playing ? StrategyEvent::Held : StrategyEvent::Interrupted);
  return object;
}

void MediaPlayer::Player::add_controls(sdbus::IObject& object) {
  const auto control = [this, &object](const char* name, auto next) {
    object.registerMethod(kPlayer, name, "", "", [this, &object, next](const sdbus::MethodCall& call) {
      answer(call);
      set_playing(object, next(stage));
    });
  };
  control("Play", [](Stage) { return Stage::Playing; });
  control("Pause", [](Stage) { return Stage::Paused; });
  control("Stop", [](Stage) { return Stage::Paused; });
  control("PlayPause", [](Stage now) { return now == Stage::Playing ? Stage::Paused : Stage::Playing; });
  object.registerProperty(kPlayer, "PlaybackStatus", "s", [this](sdbus::PropertyGetReply& reply) {
    reply << std::string(stage == Stage::Playing ? "Playing" : "Paused");
  });
}

void MediaPlayer::Player::set_playing(sdbus::IObject& object, Stage next) {
  if (stage.exchange(next) == next) {
    return;
  }
  object.emitPropertiesChangedSignal(kPlayer, {"PlaybackStatus"});
  report(next == Stage::Playing ? StrategyEvent::InterruptionEnded : StrategyEvent::Interrupted);
}

void MediaPlayer::Player::disappear() {
  const bool was_there = stage.exchange(Stage::Gone) != Stage::Starting;
  report(was_there ? StrategyEvent::Lost : StrategyEvent::Refused);
}

MediaPlayer::MediaPlayer(Report report) : report_(std::move(report)) {}

MediaPlayer::~MediaPlayer() = default;

void MediaPlayer::acquire() {
  using Stage = Player::Stage;
  if (bus_ && player_->stage == Stage::Playing) {
    report_(StrategyEvent::Held);
    return;
  }
  release();
  const bool paused_by_user =
      player_ && player_->stage == Stage::Paused && std::chrono::steady_clock::now() - released_at_ < kSameAttempt;
  const Stage first = paused_by_user ? Stage::Paused : Stage::Playing;
  player_ = std::make_shared<Player>(report_);
  bus_ = Bus::open(
      Bus::Kind::Session, [player = player_, first](sdbus::IConnection& bus) { return player->appear(bus, first); },
      [player = player_] { player->disappear(); });
  if (!bus_) {
    report_(StrategyEvent::Unsupported);
  }
}

void MediaPlayer::release() {
  if (bus_) {
    bus_.reset();
    released_at_ = std::chrono::steady_clock::now();
  }
}

}  // namespace fermata::linux_platform
