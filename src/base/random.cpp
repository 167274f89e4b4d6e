#include "base/random.hpp"

#include <openssl/rand.h>

#include <bit>
#include <cstring>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/uuid.hpp"

namespace fermata {
namespace {

class SystemRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override {
    // Without randomness there are no keys and no identities: nothing sensible can be done.
    FERMATA_CHECK(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1);
  }
};

// SplitMix64 (Steele, Lea, Flood 2014), the recommended way to seed xoshiro from one number.
std::uint64_t split_mix(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace

std::uint64_t Random::u64() {
  std::uint8_t bytes[8];
  fill(bytes);
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

std::uint64_t Random::below(std::uint64_t bound) {
  FERMATA_CHECK(bound > 0);
  // Values below 2^64 mod bound would make small results likelier.
  const std::uint64_t biased = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t value = u64();
    if (value >= biased) return value % bound;
  }
}

Random& system_random() {
  static auto* const random = new SystemRandom;  // never destroyed, as the clock
  return *random;
}

SeededRandom::SeededRandom(std::uint64_t seed) {
  for (auto& word : state_) word = split_mix(seed);
}

void SeededRandom::fill(std::span<std::uint8_t> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    for (int shift = 56; shift >= 0 && done < out.size(); shift -= 8) {
      out[done++] = static_cast<std::uint8_t>(result >> shift);
    }
  }
}

std::string make_uuid7(WallTime now, Random& random) {
  return Uuid7Sequence().next(now, random);
}

std::string Uuid7Sequence::next(WallTime now, Random& random) {
  constexpr unsigned kCounterBits = 12;
  constexpr std::uint64_t kBeginBits = 0x7ff;  // the counter begins in its lower half, to have room
  UuidBytes bytes;
  random.fill(bytes);
  const auto ms = static_cast<std::uint64_t>(now.time_since_epoch().count());
  const std::uint64_t begin = (std::uint64_t{bytes[6]} << 8 | bytes[7]) & kBeginBits;
  last_ = ms > last_ >> kCounterBits ? ms << kCounterBits | begin : last_ + 1;
  for (unsigned i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(last_ >> (52 - 8 * i));
  bytes[6] = static_cast<std::uint8_t>(0x70 | (last_ >> 8 & 0x0f));
  bytes[7] = static_cast<std::uint8_t>(last_);
  bytes[8] = static_cast<std::uint8_t>(0x80 | (bytes[8] & 0x3f));
  return uuid_text(bytes);
}

}  // namespace fermata
