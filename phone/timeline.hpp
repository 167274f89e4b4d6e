// What a run looked like: its events joined into spans, and three ways to show them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "phone/events.hpp"

namespace fermata::phone {

// A stretch of time in which something was so. `kind`: foreground, inactive, background (states of the app), frozen,
// maintenance, playing, player, task, call, alarm, airplane, route_lost.
struct Span {
  std::string kind;
  std::string name;                 // of a task; else empty
  double begin_ms = 0, end_ms = 0;  // since the start of the run
};

struct RunRecord {
  std::string policy;
  std::uint64_t seed = 0;
  double time_scale = 1;
  std::string means_json = "{}";  // which real parts were used
  std::vector<Recorded> events;
  double end_ms = 0;
  int code = 0;         // of the phone
  std::string failure;  // what the script expected in vain; empty: nothing
};

// In the order in which they begin. What never ended ends with the run.
[[nodiscard]] std::vector<Span> spans_of(const RunRecord& run);

// {"policy","seed","time_scale","means","spans":[{"kind","name"?,"begin_ms","end_ms"}],"events":[{"t_ms","event",…}],
//  "result":{"code","passed","failure"}}
[[nodiscard]] std::string timeline_json(const RunRecord& run);
// A picture: lanes from the app's state to what happened around it, and marks for what took no time.
[[nodiscard]] std::string timeline_svg(const RunRecord& run);
// The lanes in characters, `columns` wide at most; at least 40.
[[nodiscard]] std::string timeline_text(const RunRecord& run, int columns);

}  // namespace fermata::phone
