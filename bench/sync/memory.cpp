#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <iostream>

#include "device.hpp"
#include "sections.hpp"

namespace fermata::bench {
namespace {

constexpr const char* kSection = "memory of a device that others are connected to";

// This program again, as the device to be weighed; ends with the object.
class Hub {
 public:
  explicit Hub(std::size_t documents) {
    std::array<int, 2> in{}, out{};
    require(::pipe2(in.data(), O_CLOEXEC) == 0 && ::pipe2(out.data(), O_CLOEXEC) == 0, "no pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      ::execl("/proc/self/exe", "bench_sync", "--hub", std::to_string(documents).c_str(), nullptr);
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    input_ = in[1];
    for (char c = 0; ::read(out[0], &c, 1) == 1 && c != '\n';) address_ += c;
    ::close(out[0]);
    require(!address_.empty(), "the hub did not start");
  }
  ~Hub() {
    ::close(input_);
    ::waitpid(pid_, nullptr, 0);
  }
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] double resident_mib() const {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) return std::atof(line.c_str() + 6) / 1024;
    }
    return 0;
  }

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  std::string address_;
};

void weigh(Report& report, std::size_t documents, std::size_t peers) {
  const Hub hub(documents);
  const std::string with = std::to_string(documents) + " documents, ";
  report.add(kSection, with + "nobody connected", "MiB", hub.resident_mib());
  std::vector<std::unique_ptr<Device>> devices;
  while (devices.size() < peers) {
    devices.push_back(std::make_unique<Device>());
    devices.back()->want("SELECT * FROM items");
    devices.back()->connect(hub.address());
  }
  for (const auto& device : devices)
    wait_until([&] { return device->peer().status().catch_up.done; }, "a device that catches up with the hub");
  report.add(kSection, with + std::to_string(peers) + (peers == 1 ? " peer" : " peers"), "MiB", hub.resident_mib());
}

}  // namespace

int serve_hub(std::size_t documents) {
  Device hub;
  hub.fill(documents);
  hub.close();
  hub.open();  // what filling it took is not what it takes
  std::cout << hub.listen() << std::endl;
  std::cin.get();
  return 0;
}

void measure_memory(Report& report, const Sizes& sizes, int repeats) {
  for (int i = 0; i < repeats; ++i) {
    weigh(report, sizes.initial, 1);
    for (const std::size_t peers : {1u, 10u, 100u}) weigh(report, sizes.initial / 50, peers);
  }
}

}  // namespace fermata::bench
