// Explores all runs of a Scope, breadth first, and judges every state that is reached.
#pragma once

#include <string>
#include <vector>

#include "model/actions.hpp"

namespace fermata::model {

struct Report {
  std::size_t states = 0;
  int depth = 0;            // all runs of this many actions have been seen
  bool exhausted = false;   // there is nothing longer
  std::string violation;    // empty: none
  std::vector<Action> run;  // the shortest that leads to it

  [[nodiscard]] std::string text(const Scope& scope) const;
};

struct Limits {
  int depth = 1000;
  std::size_t states = 1'000'000;
};

// Stops at the first violation, or before the level that would exceed `limits`.
Report explore(const Scope& scope, const Rules& rules, const Limits& limits);

// What is wrong if from here on nobody does anything but meet, until nothing changes any more; empty if all is well.
std::string judge(const World& world, const Scope& scope, const Rules& rules);

}  // namespace fermata::model
