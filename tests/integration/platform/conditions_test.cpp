// The device's conditions as mocks of the system's services tell them, and the desktop's portal.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fermata/platform.hpp>
#include <sstream>

#include "integration/platform/eventually.hpp"
#include "integration/platform/mailbox.hpp"
#include "integration/platform/message_bus.hpp"

namespace fermata {
namespace {

constexpr const char* kUPower = "org.freedesktop.UPower";
constexpr const char* kUPowerPath = "/org/freedesktop/UPower";
constexpr const char* kProfiles = "net.hadess.PowerProfiles";
constexpr const char* kProfilesPath = "/net/hadess/PowerProfiles";
constexpr const char* kNetwork = "org.freedesktop.NetworkManager";
constexpr const char* kNetworkPath = "/org/freedesktop/NetworkManager";

std::string words_for(const Conditions& now) {
  std::string words = now.low_power ? "low_power " : "";
  words += now.metered ? "metered " : "";
  words += now.battery_percent ? "battery=" + std::to_string(*now.battery_percent) : "mains";
  return words;
}

class SystemConditions : public testing::Test {
 protected:
  void SetUp() override { ::unsetenv("FERMATA_PHONE_SOCKET"); }
  void start_platform() {
    platform_ = make_default_platform();
    platform_->start({.on_app_state = [](AppState, auto) {},
                      .on_strategy = [](Strategy, StrategyEvent, auto) {},
                      .on_conditions = [this](const Conditions& now) { told_.put(words_for(now)); }});
  }
  std::string next() { return told_.take().value_or("nothing"); }
  void update(const char* service, const char* path, const char* interface, const std::string& properties) const {
    bus_.ask(service, path,
             std::string("org.freedesktop.DBus.Mock.UpdateProperties ") + interface + " \"{" + properties + "}\"");
  }
  void add_meter(const char* metered) const {
    bus_.ask(
        kNetwork, kNetworkPath,
        std::string("org.freedesktop.DBus.Mock.AddProperty ") + kNetwork + " Metered \"<uint32 " + metered + ">\"");
  }
  void set_meter(const char* metered) const {
    update(kNetwork, kNetworkPath, kNetwork, std::string("'Metered': <uint32 ") + metered + ">");
  }
  void set_battery(const char* percentage) const {
    bus_.ask(kUPower, kUPowerPath,
             std::string("org.freedesktop.DBus.Mock.SetDeviceProperties /org/freedesktop/UPower/devices/DisplayDevice "
                         "\"{'Percentage': <") +
                 percentage + ">, 'IsPresent': <true>}\"");
  }

  const MessageBus bus_{"DBUS_SYSTEM_BUS_ADDRESS"};
  Mailbox<std::string> told_;
  std::unique_ptr<Platform> platform_;
};

TEST_F(SystemConditions, FollowTheBattery) {
  const auto upower = bus_.mock_template(kUPower, "upower");
  set_battery("83.4");
  update(kUPower, kUPowerPath, kUPower, "'OnBattery': <true>");
  start_platform();
  EXPECT_EQ(next(), "battery=83") << "told once at the start, because it is not the default";
  set_battery("19.6");
  EXPECT_EQ(next(), "battery=20");
  update(kUPower, kUPowerPath, kUPower, "'OnBattery': <false>");
  EXPECT_EQ(next(), "mains");
  EXPECT_TRUE(told_.empty());
}

TEST_F(SystemConditions, FollowTheUsersWishToSavePower) {
  const auto profiles = bus_.mock_template(kProfiles, "power_profiles_daemon");
  start_platform();
  // What was true at the start is known once this arrives.
  update(kProfiles, kProfilesPath, kProfiles, "'ActiveProfile': <'performance'>");
  update(kProfiles, kProfilesPath, kProfiles, "'ActiveProfile': <'power-saver'>");
  EXPECT_EQ(next(), "low_power mains");
  update(kProfiles, kProfilesPath, kProfiles, "'ActiveProfile': <'balanced'>");
  EXPECT_EQ(next(), "mains");
}

TEST_F(SystemConditions, FollowTheNetwork) {
  const auto network = bus_.mock(kNetwork, kNetworkPath, kNetwork);
  add_meter("1");
  start_platform();
  EXPECT_EQ(next(), "metered mains");
  set_meter("2");
  EXPECT_EQ(next(), "mains");
  set_meter("3");
  EXPECT_EQ(next(), "metered mains") << "it guesses so";
  set_meter("4");
  EXPECT_EQ(next(), "mains") << "it guesses not";
}

TEST_F(SystemConditions, AreTheDefaultsAgainWhenTheirServiceLeavesAndKnownWhenItComes) {
  start_platform();
  for (int round = 0; round < 2; ++round) {
    auto network = bus_.mock(kNetwork, kNetworkPath, kNetwork);
    add_meter("2");
    set_meter("1");
    EXPECT_EQ(next(), "metered mains");
    network.reset();
    EXPECT_EQ(next(), "mains");
  }
}

TEST_F(SystemConditions, OfTheWrongTypeAreTheDefaults) {
  const auto network = bus_.mock(kNetwork, kNetworkPath, kNetwork);
  add_meter("1");
  start_platform();
  EXPECT_EQ(next(), "metered mains");
  update(kNetwork, kNetworkPath, kNetwork, "'Metered': <'very'>");
  EXPECT_EQ(next(), "mains");
}

constexpr const char* kPortal = "org.freedesktop.portal.Desktop";
constexpr const char* kPortalPath = "/org/freedesktop/portal/desktop";
constexpr const char* kBackground = "org.freedesktop.portal.Background";

class Portal : public testing::Test {
 protected:
  void SetUp() override {
    ::unsetenv("FERMATA_PHONE_SOCKET");
    ::setenv("PULSE_SERVER", "unix:/nonexistent", 1);
    mock(std::string("AddMethod ") + kBackground + " RequestBackground 'sa{sv}' o \"ret = '/x'\"");
    platform_ = make_default_platform();
    platform_->start({.on_app_state = [](AppState, auto) {}, .on_strategy = [](Strategy, StrategyEvent, auto) {}});
  }
  void TearDown() override { ::unsetenv("PULSE_SERVER"); }
  void mock(const std::string& call) const { bus_.ask(kPortal, kPortalPath, "org.freedesktop.DBus.Mock." + call); }
  std::string daemon(const std::string& call) const {
    return bus_.ask("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus." + call);
  }
  bool asked() const {
    return bus_.await_answer(kPortal, kPortalPath, "org.freedesktop.DBus.Mock.GetCalls",
                             "'RequestBackground', [<''>, <{'handle_token': <'fermata");
  }
  // Our connection's name, with which the portal answers; "" if there is none.
  std::string our_name() const {
    std::string names = daemon("ListNames");
    std::replace_if(
        names.begin(), names.end(), [](char c) { return c == '\'' || c == ',' || c == '[' || c == ']'; }, ' ');
    std::istringstream words(names);
    for (std::string name; words >> name;) {
      const bool unique = name.front() == ':';
      if (unique && daemon("GetConnectionUnixProcessID " + name) == "(uint32 " + std::to_string(::getpid()) + ",)\n") {
        return name;
      }
    }
    return {};
  }
  void respond(const std::string& response) const {
    std::string sender = our_name();
    ASSERT_NE(sender, "");
    sender = sender.substr(1);
    std::replace(sender.begin(), sender.end(), '.', '_');
    const std::string path = std::string(kPortalPath) + "/request/" + sender + "/fermata" + std::to_string(::getpid());
    mock("AddObject " + path + " org.freedesktop.portal.Request '{}' '[]'");
    bus_.ask(
        kPortal, path,
        "org.freedesktop.DBus.Mock.EmitSignal org.freedesktop.portal.Request Response 'ua{sv}' \"" + response + "\"");
  }
  // What is on stderr when the portal has answered so.
  std::string said_after(const std::string& response) {
    testing::internal::CaptureStderr();
    platform_->acquire(Strategy::MediaPlayer);
    platform_->release(Strategy::MediaPlayer);
    EXPECT_TRUE(asked());
    respond(response);
    EXPECT_TRUE(eventually([this] { return our_name().empty(); })) << "it hangs up after the answer";
    return testing::internal::GetCapturedStderr();
  }

  const MessageBus bus_{"DBUS_SESSION_BUS_ADDRESS"};
  const std::unique_ptr<Child> portal_ = bus_.mock(kPortal, kPortalPath, kBackground);
  std::unique_ptr<Platform> platform_;
};

TEST_F(Portal, IsAskedOnceWhenAStrategyIsFirstAcquired) {
  EXPECT_EQ(said_after("[<uint32 0>, <{'background': <true>}>]"), "");
  mock("ClearCalls");
  platform_->acquire(Strategy::MediaPlayer);
  EXPECT_NE(our_name(), "") << "the player's connection alone";
  EXPECT_EQ(bus_.ask(kPortal, kPortalPath, "org.freedesktop.DBus.Mock.GetCalls").find("RequestBackground"),
            std::string::npos);
}

TEST_F(Portal, WhoseRefusalIsSaid) {
  EXPECT_NE(said_after("[<uint32 0>, <{'background': <false>}>]").find("does not allow"), std::string::npos);
}

TEST_F(Portal, WhoseUserSaysNoIsSaid) {
  EXPECT_NE(said_after("[<uint32 1>, <@a{sv} {}>]").find("does not allow"), std::string::npos);
}

TEST_F(Portal, ThatNeverAnswersIsNotWaitedFor) {
  platform_->acquire(Strategy::MediaPlayer);
  EXPECT_TRUE(asked());
  platform_.reset();
}

}  // namespace
}  // namespace fermata
