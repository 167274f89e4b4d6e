#include "integration/platform/message_bus.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "integration/platform/eventually.hpp"

namespace fermata {
namespace {

constexpr const char* kDaemon = "org.freedesktop.DBus";
constexpr const char* kDaemonPath = "/org/freedesktop/DBus";
constexpr const char* kNoBus = "unix:path=/nonexistent/bus";

// No test talks to the machine's own buses.
class NoMessageBus final : public testing::Environment {
 public:
  void SetUp() override {
    ::setenv("DBUS_SESSION_BUS_ADDRESS", kNoBus, 1);
    ::setenv("DBUS_SYSTEM_BUS_ADDRESS", kNoBus, 1);
  }
};
[[maybe_unused]] const testing::Environment* const no_message_bus = testing::AddGlobalTestEnvironment(new NoMessageBus);

void write_configuration(const std::string& file, const std::string& address) {
  std::ofstream(file) << "<busconfig><type>session</type><listen>" << address << "</listen><auth>EXTERNAL</auth>"
                      << "<policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>"
                      << "<allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>\n";
}

int entries(const char* folder) {
  const std::filesystem::directory_iterator found(folder);
  return static_cast<int>(std::distance(begin(found), end(found)));
}

}  // namespace

MessageBus::MessageBus(std::string variable, const std::string& folder)
    : variable_(std::move(variable)), folder_(folder.empty() ? own_folder_.path() : folder) {
  address_ = "unix:path=" + folder_ + "/" + (variable_.find("SYSTEM") != std::string::npos ? "system" : "session");
  ::setenv(variable_.c_str(), address_.c_str(), 1);
  start();
}

MessageBus::~MessageBus() {
  ::setenv(variable_.c_str(), kNoBus, 1);
}

void MessageBus::start() {
  const std::string configuration = folder_ + "/" + variable_ + ".conf";
  write_configuration(configuration, address_);
  std::filesystem::remove(address_.substr(address_.find('/')));
  daemon_ = std::make_unique<Child>(
      std::vector<std::string>{"dbus-daemon", "--config-file=" + configuration, "--nofork", "--nopidfile"},
      std::vector<std::string>{}, folder_ + "/bus.log");
  ASSERT_TRUE(eventually([this] { return !ask(kDaemon, kDaemonPath, "org.freedesktop.DBus.GetId").empty(); })) << log();
}

void MessageBus::kill() {
  daemon_.reset();
}

std::unique_ptr<Child> MessageBus::mock_template(const std::string& name, const std::string& of) const {
  return start_mock({"--template", of}, name);
}

std::unique_ptr<Child> MessageBus::mock(const std::string& name, const std::string& path,
                                        const std::string& interface) const {
  return start_mock({name, path, interface}, name);
}

std::unique_ptr<Child> MessageBus::start_mock(std::vector<std::string> arguments, const std::string& name) const {
  const bool system = variable_.find("SYSTEM") != std::string::npos;
  std::vector<std::string> all{"/usr/bin/python3", "-m", "dbusmock", system ? "--system" : "--session"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  auto child = std::make_unique<Child>(all, std::vector<std::string>{}, folder_ + "/bus.log");
  EXPECT_TRUE(eventually([&] { return has(name); })) << log();
  return child;
}

std::string MessageBus::ask(const std::string& name, const std::string& path, const std::string& call) const {
  return output_of("gdbus call --address " + address_ + " --timeout 5 --dest " + name + " --object-path " + path +
                   " --method " + call + " 2>/dev/null");
}

bool MessageBus::await_answer(const std::string& name, const std::string& path, const std::string& call,
                              const std::string& containing) const {
  std::string answer;
  const bool came = eventually([&] { return (answer = ask(name, path, call)).find(containing) != std::string::npos; });
  EXPECT_TRUE(came) << "the last answer was " << answer;
  return came;
}

bool MessageBus::has(const std::string& name) const {
  return ask(kDaemon, kDaemonPath, "org.freedesktop.DBus.NameHasOwner " + name).find("true") != std::string::npos;
}

bool MessageBus::await_absence(const std::string& name) const {
  return eventually([&] { return !has(name); });
}

std::string MessageBus::log() const {
  std::ifstream file(folder_ + "/bus.log");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

int threads_of_this_process() {
  // ThreadSanitizer starts one of its own with the first: that is not to be one more.
  [[maybe_unused]] static const bool first = (std::thread([] {}).join(), true);
  return entries("/proc/self/task");
}

int descriptors_of_this_process() {
  return entries("/proc/self/fd");
}

}  // namespace fermata
