// The parts of the bench. Each adds its figures, floors included, to the report; one call is one repeat.
#pragma once

#include "report.hpp"

namespace fermata::bench {

struct Sizes {
  std::size_t initial = 100'000;   // documents
  std::size_t resume = 1'000'000;  // documents
  std::size_t live = 2'000;        // changes
};

// A device that holds `initial` documents is met by `repeats` new ones.
void measure_initial(Report& report, const Sizes& sizes, int repeats);
// One field of one document, changed on one side and awaited on the other.
void measure_live(Report& report, const Sizes& sizes, int repeats);
// A known device comes back to `resume` documents of which 0, 10 or 1,000 have changed.
void measure_resume(Report& report, const Sizes& sizes, int repeats);
// Two that never met hold the same `resume` documents, but for 0, 10, 1,000 or 100,000.
void measure_strangers(Report& report, const Sizes& sizes, int repeats);
// Resident memory with 1, 10 and 100 connected devices.
void measure_memory(Report& report, const Sizes& sizes, int repeats);
// A change that one of 1, 100, 1,000 subscriptions of a remote's wants, and one of 10,000 of ten remotes'.
void measure_subscriptions(Report& report, const Sizes& sizes, int repeats);

// Redundancy and hops of meshes of 10, 50 and 100 simulated devices; each repeat has other graphs.
void measure_mesh(Report& report, const Sizes& sizes, int repeats);

// The device that measure_memory() weighs, in a process of its own: says its address on stdout, ends with its input.
[[nodiscard]] int serve_hub(std::size_t documents);

}  // namespace fermata::bench
