#include "silent_wave.h"

#include <algorithm>
#include <string_view>

namespace fermata::apple {
namespace {

constexpr std::uint32_t kRate = 8000;
constexpr std::uint32_t kBytesPerSample = 2;
constexpr std::uint32_t kHeader = 36;  // between the RIFF length and the samples

void put(std::vector<std::uint8_t>& out, std::string_view text) {
  out.insert(out.end(), text.begin(), text.end());
}

void put(std::vector<std::uint8_t>& out, std::uint32_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) {
    out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
}

}  // namespace

std::vector<std::uint8_t> silent_wave(std::chrono::milliseconds length) {
  const auto bounded = std::clamp<std::chrono::milliseconds::rep>(length.count(), 1, 60'000);
  const std::uint32_t samples = kRate / 1000 * static_cast<std::uint32_t>(bounded);
  const std::uint32_t bytes = samples * kBytesPerSample;
  std::vector<std::uint8_t> out;
  out.reserve(kHeader + 8 + bytes);
  put(out, "RIFF");
  put(out, kHeader + bytes, 4);
  put(out, "WAVEfmt ");
  put(out, 16, 4);  // length of what follows up to "data"
  put(out, 1, 2);   // PCM
  put(out, 1, 2);   // one channel
  put(out, kRate, 4);
  put(out, kRate * kBytesPerSample, 4);
  put(out, kBytesPerSample, 2);
  put(out, 8 * kBytesPerSample, 2);
  put(out, "data");
  put(out, bytes, 4);
  for (std::uint32_t i = 0; i < samples; ++i) {
    put(out, i % 2 == 0 ? 0x0001U : 0xFFFFU, kBytesPerSample);
  }
  return out;
}

}  // namespace fermata::apple
