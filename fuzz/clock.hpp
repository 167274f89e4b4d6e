// Whose wall time passes as a fuzzer says; nothing else asks it.
#pragma once

#include "base/time.hpp"

namespace fermata::fuzz {

struct HandClock final : Clock {
  [[nodiscard]] Instant now() override { return {}; }
  [[nodiscard]] WallTime wall_now() override { return wall; }
  WallTime wall{std::chrono::milliseconds(1'700'000'000'000)};
};

}  // namespace fermata::fuzz
