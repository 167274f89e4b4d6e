// Finds the least audible duty that keeps a process alive: how often PulsedAudio must be heard, and for how long. Pure.
//
// It starts cautiously (a third of the system's grace), and while nothing happens makes the pause between two pulses a
// tenth longer every ten minutes. When the system suspended the process all the same it halves that pause, doubles the
// length, and from then on stays a fifth below the period that failed; always kPauseReserve below the grace.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lifecycle/slot.hpp"

namespace fermata::lifecycle {

// Not thread-safe. What it has learned outlives the process through encode() and decode().
class PulseLearner {
 public:
  static constexpr Duration kFirstPeriod = std::chrono::seconds(2);  // while the grace is unknown
  static constexpr Duration kMinPeriod = std::chrono::milliseconds(500);
  static constexpr Duration kMaxPeriod = std::chrono::seconds(10);  // while the grace is unknown
  static constexpr Duration kFirstLength = std::chrono::milliseconds(200);
  static constexpr Duration kMaxLength = std::chrono::seconds(1);
  static constexpr Duration kQuiet = std::chrono::minutes(10);  // without a suspension: the period grows

  // How long the system lets the process run without being heard, as it said last.
  void set_grace(Duration grace);
  // A pulse is made now. Time counts as quiet from one pulse to the next.
  void pulsed(Instant now);
  // No pulses from here on; what was quiet so far stays counted.
  void rest();
  // The process was suspended although pulses were made.
  void suspended();

  [[nodiscard]] Duration period() const;  // from the beginning of a pulse to that of the next
  [[nodiscard]] Duration length() const { return length_; }
  // Suspended even at the heaviest duty: pulses do not help here.
  [[nodiscard]] bool exhausted() const { return exhausted_; }

  // One line of JSON. decode() never fails: what it cannot use is as if never learned.
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static PulseLearner decode(std::string_view json);

 private:
  [[nodiscard]] Duration longest() const;

  std::optional<Duration> grace_;
  std::optional<Duration> period_;  // nothing learned: it follows the grace
  std::optional<Duration> failed_;  // the shortest period with which the process was suspended
  Duration length_ = kFirstLength;
  bool exhausted_ = false;
  Duration quiet_{0};
  std::optional<Instant> last_;
};

}  // namespace fermata::lifecycle
