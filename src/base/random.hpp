// The seam through which randomness enters. Implementations need not be thread-safe; give each thread its own.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/time.hpp"

namespace fermata {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;
  [[nodiscard]] std::uint64_t u64();
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);  // uniform in [0, bound); bound > 0
};

// The operating system's generator. Lives for ever; thread-safe.
[[nodiscard]] Random& system_random();

// Reproducible: the same seed gives the same sequence on every machine (xoshiro256**, Blackman & Vigna 2018).
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed);
  void fill(std::span<std::uint8_t> out) override;

 private:
  std::uint64_t state_[4];
};

// A time-ordered identifier, UUID version 7 (RFC 9562 §5.7), in its 36-character form.
[[nodiscard]] std::string make_uuid7(WallTime now, Random& random);

// Makes them each greater than the one before, also within a millisecond and when the clock is set back (RFC 9562
// §6.2, method 1): then a store appends to its index of ids, and need not look for what cannot be there.
class Uuid7Sequence {
 public:
  [[nodiscard]] std::string next(WallTime now, Random& random);

 private:
  std::uint64_t last_ = 0;  // 48 bits of milliseconds, then the counter
};

}  // namespace fermata
