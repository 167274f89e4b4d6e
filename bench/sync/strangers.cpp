#include <filesystem>

#include "device.hpp"
#include "sections.hpp"

namespace fermata::bench {
namespace {

constexpr const char* kSection = "strangers that hold nearly the same";

// Two devices with the same documents that have never met: a copy of a directory is a new device.
void meet_once(Report& report, Device& original, std::size_t differences) {
  original.close();
  Device copy;
  copy.become_copy_of(original);
  original.open();
  original.fill(differences / 2);
  copy.fill(differences - differences / 2);
  original.want("SELECT * FROM items");
  copy.want("SELECT * FROM items");
  const std::uint64_t expected = original.count() + (differences - differences / 2);
  const double cpu_before = cpu_seconds();
  copy.connect(original.listen());
  const auto start = Clock::now();
  wait_until([&] { return original.peer().status().catch_up.done && copy.peer().status().catch_up.done; },
             "two strangers");
  const double took = seconds_since(start);
  const double cpu = cpu_seconds() - cpu_before;
  require(original.count() == expected && copy.count() == expected, "two strangers are not level though they say so");
  const PeerStatus status = copy.peer().status();
  const std::string what = std::to_string(differences) + " differences: ";
  report.add(kSection, what + "level on both sides after", "ms", took * 1000);
  report.add(kSection, what + "bytes on the wire both ways", "B",
             static_cast<double>(status.wire_bytes_sent + status.wire_bytes_received));
  report.add(kSection, what + "round trips", "", static_cast<double>(status.catch_up.round_trips));
  report.add(kSection, what + "processor time, both sides", "ms", cpu * 1000);
}

}  // namespace

void measure_strangers(Report& report, const Sizes& sizes, int repeats) {
  Device original;
  original.fill(sizes.resume);
  for (const std::size_t differences : {0u, 10u, 1000u, 100'000u}) {
    for (int i = 0; i < repeats; ++i) meet_once(report, original, std::min(differences, sizes.resume));
  }
}

}  // namespace fermata::bench
