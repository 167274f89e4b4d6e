#include "network.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace fermata::test {
namespace {

constexpr const char* kPrefix = "fermata-test-";
constexpr const char* kNamespaces = "/run/netns";

// What the command wrote; `ok` tells how it ended.
std::string output_of(const std::string& command, bool& ok) {
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("popen " + command);
  std::string text;
  std::array<char, 4096> chunk;
  while (const std::size_t size = std::fread(chunk.data(), 1, chunk.size(), pipe)) text.append(chunk.data(), size);
  ok = ::pclose(pipe) == 0;
  return text;
}

// Of tests that were killed.
void remove_leftovers() {
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(kNamespaces, none)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(kPrefix)) continue;
    const pid_t pid = std::atoi(name.c_str() + std::char_traits<char>::length(kPrefix));
    bool ok = false;
    if (pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH) static_cast<void>(output_of("ip netns delete " + name, ok));
  }
}

}  // namespace

Network::Network(int hosts) : name_(kPrefix + std::to_string(::getpid()) + "-"), hosts_(hosts) {
  remove_leftovers();
  make();
}

Network::~Network() {
  bool ok = false;
  for (int i = 0; i < hosts_; ++i) static_cast<void>(output_of("ip netns delete " + host(i), ok));
  static_cast<void>(output_of("ip netns delete " + switches(), ok));
}

std::string Network::host(int number) const {
  return name_ + std::to_string(number);
}

std::string Network::address(int host) {
  return "10.77.0." + std::to_string(host + 1);
}

void Network::make() {
  // The second switch is for split().
  if (!run("ip netns add " + switches()) ||
      !run("ip -n " + switches() + " -batch -",
           "link add near type bridge\nlink add far type bridge\nlink set near up\nlink set far up\n")) {
    return;
  }
  for (int i = 0; i < hosts_ && trouble_.empty(); ++i) connect(i);
}

void Network::connect(int number) {
  const std::string port = "port" + std::to_string(number);
  if (!run("ip netns add " + host(number))) return;
  if (!run("ip -n " + host(number) + " -batch -", "link set lo up\nlink add eth0 type veth peer name " + port +
                                                      " netns " + switches() + "\naddress add " + address(number) +
                                                      "/24 dev eth0\nlink set eth0 up\n")) {
    return;
  }
  run("ip -n " + switches() + " -batch -", "link set " + port + " master near\nlink set " + port + " up\n");
}

bool Network::run(const std::string& command, const std::string& input) {
  bool ok = false;
  const std::string said = output_of(input.empty() ? command : "printf '" + input + "' | " + command, ok);
  if (!ok && trouble_.empty()) trouble_ = command + ": " + said;
  return ok;
}

bool Network::move_to(int number, const std::string& bridge) {
  return run("ip -n " + switches() + " link set port" + std::to_string(number) + " master " + bridge);
}

bool Network::split(int first) {
  bool moved = true;
  for (int i = first; i < hosts_; ++i) moved = move_to(i, "far") && moved;
  return moved;
}

bool Network::heal() {
  bool moved = true;
  for (int i = 0; i < hosts_; ++i) moved = move_to(i, "near") && moved;
  return moved;
}

bool Network::limit_rate(int number, const std::string& rate) {
  return run("tc -n " + host(number) + " qdisc replace dev eth0 root tbf rate " + rate + " burst 16k latency 200ms");
}

bool Network::lose(int number, int percent) {
  return run("ip netns exec " + host(number) + " nft -f -",
             "table inet loss {\nchain input {\ntype filter hook input priority 0\nnumgen random mod 100 < " +
                 std::to_string(percent) + " drop\n}\n}\n");
}

bool Network::restore(int number) {
  bool ok = false;
  static_cast<void>(output_of("tc -n " + host(number) + " qdisc delete dev eth0 root", ok));
  static_cast<void>(output_of("ip netns exec " + host(number) + " nft flush ruleset", ok));
  return ok;
}

Network::Visit::Visit(const Network& network, int host) {
  home_ = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  const int there = ::open((std::string(kNamespaces) + "/" + network.host(host)).c_str(), O_RDONLY | O_CLOEXEC);
  const bool entered = there >= 0 && ::setns(there, CLONE_NEWNET) == 0;
  ::close(there);
  if (!entered) throw std::runtime_error("cannot enter the namespace of host " + std::to_string(host));
}

Network::Visit::~Visit() {
  if (::setns(home_, CLONE_NEWNET) != 0) std::abort();  // nothing that follows would be where it should be
  ::close(home_);
}

}  // namespace fermata::test
