// The record of every span in which sync was wanted and did not run. Pure: it is told, and it measures.
//
// Lengths are measured by Instant, which does not jump; the wall clock only dates the beginning. The one exception is a
// gap that was open when the process ended (see decode()).
#pragma once

#include <deque>
#include <fermata/gap.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace fermata::lifecycle {

// Who is there to sync with. `wanted`: sync runs and somebody is to be reached.
struct Presence {
  std::size_t linked = 0;
  bool wanted = false;
};

// Not thread-safe; one owner. Bounded: the latest kMaxGaps. At most one gap is open, and it is the last.
class GapLedger {
 public:
  static constexpr std::size_t kMaxGaps = 1000;
  static constexpr std::size_t kMedianOf = 16;
  static constexpr Duration kAlone = std::chrono::seconds(10);  // without a peer: it counts as a gap

  // Sync is paused for `cause`; `unsent`: our changes that no connected peer has confirmed. Ends what is open.
  void begin(GapCause cause, Instant now, Gap::Wall wall, std::uint64_t unsent);
  // What was kept of an earlier process comes before all of ours.
  void precede_with(const GapLedger& earlier);
  // What did not fit into the pause after all. Nothing happens without an open gap of begin().
  void set_unsent(std::uint64_t unsent);
  // Sync runs again. Nothing happens without an open gap of begin().
  void end(Instant now);
  // What the catch-up after the last closed gap brought. Told once per peer: documents add up, the longest time counts.
  void note_catch_up(std::uint64_t documents, Duration duration);
  // The process did not run from `from` to `to`, unannounced; `wall` is the time of `to`. Nothing is added if a gap of
  // begin() is open: it covers it.
  void seen_suspension(Instant from, Instant to, Gap::Wall wall);

  // Told at each change. A gap NoPeers begins when nobody has been linked for kAlone while wanted, dated back to when
  // the last one left, and ends at the first link or when it is no longer wanted.
  void set_presence(const Presence& presence, Instant now, Gap::Wall wall);
  // When to call on_deadline().
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  void on_deadline(Instant now);

  // How long a gap of that cause usually lasts: the median of the last kMedianOf closed ones. Nothing without any.
  [[nodiscard]] std::optional<Duration> expected_length(GapCause cause) const;
  [[nodiscard]] bool is_open() const { return opened_.has_value(); }
  [[nodiscard]] std::vector<Gap> gaps() const;  // oldest first

  // One line of JSON. decode() never fails: entries that it cannot use are left out, as is a text that is no ledger.
  // A gap that was open then was cut short by the end of the process. It becomes one of cause Ended that lasts until
  // `now`, by the wall clock because no other outlives a process; NoPeers keeps its cause and only the length that is
  // certain, kAlone: nobody knows whether the app wanted to sync after that.
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static GapLedger decode(std::string_view json, Gap::Wall now);

 private:
  struct Since {
    Instant at;
    Gap::Wall wall;
  };

  void add(Gap gap);
  void close(Instant now);
  void note_alone(Instant now, Gap::Wall wall);
  [[nodiscard]] bool open_of(GapCause cause) const;
  [[nodiscard]] bool paused() const;

  std::deque<Gap> gaps_;
  std::optional<Instant> opened_;  // the last gap is open, since then
  Presence presence_;
  std::optional<Since> alone_;
};

// What encode() wrote, for whoever only looks: the last may be open still.
[[nodiscard]] std::vector<Gap> gaps_in(std::string_view json);

}  // namespace fermata::lifecycle
