#include <fmt/format.h>

#include "device.hpp"
#include "sections.hpp"

namespace fermata::bench {
namespace {

constexpr const char* kSection = "cost of a change with many subscriptions";

// Each change matches one of them.
void measure(Report& report, std::size_t subscriptions, std::size_t changes) {
  Device from, to;
  from.fill(1000);
  for (std::size_t i = 0; i < subscriptions; ++i) to.want(fmt::format("SELECT * FROM items WHERE group = 'g{}'", i));
  to.connect(from.listen());
  wait_until([&] { return to.peer().status().catch_up.done; }, "the first meeting");
  const double cpu_before = cpu_seconds();
  const auto start = Clock::now();
  for (std::size_t i = 0; i < changes; ++i) {
    from.write("INSERT INTO items DOCUMENTS (:d)",
               {{"d", Map{{"group", fmt::format("g{}", i % subscriptions)}, {"n", static_cast<std::int64_t>(i)}}}});
  }
  wait_until([&] { return to.count() == changes; }, "the changes");
  const auto count = static_cast<double>(changes);
  const std::string what = fmt::format("{} subscriptions: ", subscriptions);
  report.add(kSection, what + "time per change until all have arrived", "us", seconds_since(start) / count * 1e6);
  report.add(kSection, what + "processor time per change, both sides", "us",
             (cpu_seconds() - cpu_before) / count * 1e6);
}

}  // namespace

void measure_subscriptions(Report& report, const Sizes& sizes, int repeats) {
  for (int i = 0; i < repeats; ++i) {
    for (const std::size_t subscriptions : {1u, 100u, 10'000u}) measure(report, subscriptions, sizes.live);
  }
}

}  // namespace fermata::bench
