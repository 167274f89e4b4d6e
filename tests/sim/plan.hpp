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
  // Trouble comes, and outages end, so many times sooner, or later.
  int hurry = 1, leisure = 1;
  Duration between_writes = milliseconds(1700);  // at most
  std::optional<Duration> sample;                // how often sizes are taken
  Duration longest_healing = seconds(120);
  Duration quiet = seconds(30);  // after everything has been said
  Duration heartbeat = seconds(4), dead_after = seconds(10);
  Duration tombstone_ttl = Duration::zero();  // nothing is forgotten, not even by a clock that is a year ahead
  [[nodiscard]] bool forgets() const { return tombstone_ttl > Duration::zero(); }
  bool counts = false;  // half of the writes are increments
  NetworkTimes network = {};

  [[nodiscard]] Duration paced(Duration duration) const { return duration * leisure / hurry; }
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
// Everybody counts at once, into the same counters.
inline constexpr Plan kCounting = [] {
  Plan plan = kShort;
  plan.name = "counting";
  plan.counts = true;
  return plan;
}();
inline constexpr Plan kLong{.name = "long"};
inline constexpr Plan kLarge{.name = "large",
                             .least_devices = 100,
                             .most_devices = 100,
                             .troubled = seconds(20),
                             .between_writes = milliseconds(300),
                             .longest_healing = seconds(300)};
// Deletions are forgotten long before everybody has heard of them. What docs/PROTOCOL.md asks of the app then holds:
// one device inserts a document, whoever writes to a collection subscribes to some of it, and no disk loses what it
// had.
inline constexpr Plan kForgetful{.name = "forgetful",
                                 .least_devices = 3,
                                 .most_devices = 5,
                                 .troubled = seconds(40),
                                 .between_writes = milliseconds(800),
                                 .quiet = seconds(15),
                                 .tombstone_ttl = seconds(2)};
// Trouble every few minutes, day and night.
inline constexpr Plan kWeek{.name = "week",
                            .least_devices = 5,
                            .most_devices = 5,
                            .troubled = std::chrono::hours(7 * 24),
                            .leisure = 200,
                            .between_writes = std::chrono::minutes(10),
                            .sample = std::chrono::hours(6),
                            .longest_healing = seconds(1200),
                            .heartbeat = seconds(60),
                            .dead_after = seconds(150),
                            .network = {.redial_least = seconds(1), .redial_most = seconds(60)}};

[[nodiscard]] inline std::optional<Plan> plan_named(std::string_view name) {
  for (const Plan& plan : {kShort, kCounting, kLong, kLarge, kForgetful, kWeek}) {
    if (name == plan.name) return plan;
  }
  return std::nullopt;
}

}  // namespace fermata::sim
