// How an input of the fuzzers that talk is cut: steps of one byte for what to do, two for a length, little endian, and
// that many bytes. What is cut off at the end is shorter.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"

namespace fermata::fuzz {

struct Step {
  std::uint8_t what = 0;
  ByteView bytes;
};

class Steps {
 public:
  explicit Steps(ByteView input) : rest_(input) {}
  [[nodiscard]] std::optional<Step> next() {
    if (rest_.size() < 3) return std::nullopt;
    const std::size_t length = rest_[1] + 256u * rest_[2];
    const std::uint8_t what = rest_[0];
    rest_ = rest_.subspan(3);
    const ByteView bytes = rest_.first(std::min(length, rest_.size()));
    rest_ = rest_.subspan(bytes.size());
    return Step{what, bytes};
  }

 private:
  ByteView rest_;
};

inline void append_step(Bytes& out, std::uint8_t what, ByteView bytes) {
  const std::size_t length = std::min<std::size_t>(bytes.size(), 0xffff);
  out.push_back(what);
  out.push_back(static_cast<std::uint8_t>(length & 255u));
  out.push_back(static_cast<std::uint8_t>(length >> 8u));
  out.insert(out.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
}

}  // namespace fermata::fuzz
