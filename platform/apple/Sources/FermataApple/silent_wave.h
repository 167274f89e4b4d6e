// The empty piece of music: a WAV file made in memory.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace fermata::apple {

// 16-bit mono PCM at 8 kHz, of `length` (at least one sample, at most a minute). Its samples alternate between +1 and
// -1: not silence to anybody who checks, and at volume 0.01 some 130 dB below full scale.
[[nodiscard]] std::vector<std::uint8_t> silent_wave(std::chrono::milliseconds length);

}  // namespace fermata::apple
