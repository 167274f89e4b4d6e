// A span in which sync was wanted and did not run: what the gap ledger keeps, so that people can see what being in the
// background cost them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fermata {

enum class GapCause : std::uint8_t {
  Off,          // the app went to the background with background sync off
  NoDemand,     // there was nothing to sync; what came later waited
  Interrupted,  // a call or another app took the strategy, and nothing else was left
  Expired,      // the time that the system had granted was over
  Refused,      // no strategy could be had
  Suspended,    // the system suspended us without a word, although something was held or it was not expected
  Conditions,   // low power, battery, a metered network or locked files
  NoPeers,      // sync ran, and nobody was there
  Ended,        // the process ended while it was paused
};

[[nodiscard]] std::string_view name_of(GapCause cause);  // "no_peers"

struct Gap {
  using Wall = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

  Wall begin{};                                     // by the wall clock of then
  std::optional<std::chrono::milliseconds> length;  // by a clock that does not jump; nothing while it lasts
  GapCause cause = GapCause::Suspended;
  std::uint64_t changes_unsent = 0;                   // ours, that the slowest connected peer had not confirmed
  std::uint64_t changes_missed = 0;                   // of others, received in the catch-up after it (from each peer)
  std::optional<std::chrono::milliseconds> catch_up;  // from the first connection after it until all was there
};

}  // namespace fermata
