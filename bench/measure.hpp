// What every bench needs: clocks, an end when something is wrong, and the documents that all are measured with.
#pragma once

#include <chrono>
#include <fermata/result.hpp>
#include <fermata/value.hpp>
#include <string>
#include <utility>

namespace fermata::bench {

using Clock = std::chrono::steady_clock;

[[nodiscard]] double seconds_since(Clock::time_point start);
// User and system time of this process so far.
[[nodiscard]] double cpu_seconds();
// Of this process: what is resident now, and the most since the last reset. 0 where the system does not say.
[[nodiscard]] double memory_bytes();
[[nodiscard]] double peak_memory_bytes();
void reset_peak_memory();
// Ends the program with the words if it does not hold: a figure about something else would be worse than none.
void require(bool holds, const std::string& words);
template <class T>
T value_of(Result<T> result) {
  require(result.has_value(), result ? "" : result.error().message);
  return std::move(*result);
}

// A document of about 300 bytes of JSON with a generated id: six fields, of which one is text of 150 bytes.
[[nodiscard]] Map sample_document(std::size_t number);

}  // namespace fermata::bench
