#include <fmt/format.h>

#include "device.hpp"
#include "sections.hpp"

namespace fermata::bench {
namespace {

constexpr const char* kSection = "cost of a change with many subscriptions";

struct Holders {
  std::size_t subscriptions, devices;  // in all; each device has as many
};

std::uint64_t count_of(std::vector<std::unique_ptr<Device>>& devices) {
  std::uint64_t all = 0;
  for (const auto& device : devices) all += device->count();
  return all;
}

std::vector<std::unique_ptr<Device>> receivers(const Holders& holders, const std::string& address) {
  std::vector<std::unique_ptr<Device>> devices;
  for (std::size_t i = 0; i < holders.devices; ++i) devices.push_back(std::make_unique<Device>());
  for (std::size_t i = 0; i < holders.subscriptions; ++i)
    devices[i % holders.devices]->want(fmt::format("SELECT * FROM items WHERE group = 'g{}'", i));
  for (const auto& device : devices) {
    device->connect(address);
    wait_until([&] { return device->peer().status().catch_up.done; }, "the first meeting");
  }
  return devices;
}

// Each change matches one of them.
void measure(Report& report, const Holders& holders, std::size_t changes) {
  Device from;
  from.fill(1000);
  auto to = receivers(holders, from.listen());
  const double cpu_before = cpu_seconds();
  const auto start = Clock::now();
  for (std::size_t i = 0; i < changes; ++i) {
    from.write(
        "INSERT INTO items DOCUMENTS (:d)",
        {{"d", Map{{"group", fmt::format("g{}", i % holders.subscriptions)}, {"n", static_cast<std::int64_t>(i)}}}});
  }
  wait_until([&] { return count_of(to) == changes; }, "the changes");
  const auto count = static_cast<double>(changes);
  const std::string what = fmt::format("{} subscriptions, {} {}: ", holders.subscriptions, holders.devices,
                                       holders.devices == 1 ? "device" : "devices");
  report.add(kSection, what + "time per change until all have arrived", "us", seconds_since(start) / count * 1e6);
  report.add(kSection, what + "processor time per change, all sides", "us", (cpu_seconds() - cpu_before) / count * 1e6);
}

}  // namespace

void measure_subscriptions(Report& report, const Sizes& sizes, int repeats) {
  for (int i = 0; i < repeats; ++i) {
    // A device has at most 1,024.
    for (const Holders& holders : {Holders{1, 1}, {100, 1}, {1000, 1}, {10, 10}, {10'000, 10}})
      measure(report, holders, sizes.live);
  }
}

}  // namespace fermata::bench
