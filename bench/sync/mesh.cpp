#include <fmt/format.h>

#include "sections.hpp"
#include "sim/spread.hpp"

namespace fermata::bench {
namespace {

constexpr const char* kSection = "mesh, simulated: random graphs of degree 6, four authors";

void measure(Report& report, std::size_t devices, std::uint64_t seed) {
  sim::SpreadMesh mesh(devices, seed);
  const std::vector<std::size_t> authors{0, 1, 4, devices - 1};
  const double flooding = sim::spread(mesh, authors, 1);
  (void)sim::spread(mesh, authors, 1);  // what the first change's duplicates prune shows with the second
  mesh.forget_hops();
  const double steady = sim::spread(mesh, authors, 10);
  const auto add = [&](std::string_view what, std::string_view unit, double figure) {
    report.add(kSection, fmt::format("{} devices: {}", devices, what), std::string(unit), figure);
  };
  add("deliveries per change and device, first change of an author", "", flooding);
  add("deliveries per change and device, from the third on", "", steady);
  add("hops at most", "", static_cast<double>(mesh.worst_hops()));
  add("floor: diameter of the graph", "", static_cast<double>(mesh.diameter()));
}

}  // namespace

void measure_mesh(Report& report, const Sizes&, int repeats) {
  for (int i = 0; i < repeats; ++i) {
    for (const std::size_t devices : {10, 50, 100}) measure(report, devices, static_cast<std::uint64_t>(7 + i));
  }
}

}  // namespace fermata::bench
