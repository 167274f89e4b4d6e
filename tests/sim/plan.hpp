// The shape of a simulated run: how many devices, how long, how fast. What happens in it is the seed's.
#pragma once

#include <optional>
#include <string_view>

#include "network.hpp"

namespace fermata::sim {

struct Plan {
  const char* name = "";
  std::size_t least_devices = 3, most_devices = 8;
  Duration troubled = seconds(40);
  int hurry = 1;                                 // trouble comes, and outages end, so many times sooner
  Duration between_writes = milliseconds(1700);  // at most
  Duration longest_healing = seconds(120);
  Duration quiet = seconds(30);  // after everything has been said
  Duration heartbeat = seconds(4), dead_after = seconds(10);
  NetworkTimes network;

  [[nodiscard]] Duration paced(Duration duration) const { return duration / hurry; }
};

inline constexpr Plan kShort{
    .name = "short",
    .least_devices = 3,
    .most_devices = 5,
    .troubled = seconds(5),
    .hurry = 4,
    .quiet = seconds(5),
    .heartbeat = milliseconds(1500),
    .dead_after = seconds(4),
    .network = {.redial_least = milliseconds(50), .redial_most = milliseconds(600), .latency_most = milliseconds(120)}};
inline constexpr Plan kLong{.name = "long"};
inline constexpr Plan kLarge{.name = "large",
                             .least_devices = 100,
                             .most_devices = 100,
                             .troubled = seconds(30),
                             .hurry = 4,
                             .longest_healing = seconds(300)};

[[nodiscard]] inline std::optional<Plan> plan_named(std::string_view name) {
  for (const Plan& plan : {kShort, kLong, kLarge}) {
    if (name == plan.name) return plan;
  }
  return std::nullopt;
}

}  // namespace fermata::sim
