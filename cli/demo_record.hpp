// What happened during a demo, and the figures that follow from it. Plain data; all times are CLOCK_BOOTTIME
// nanoseconds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fermata::cli {

using Nanoseconds = std::int64_t;

[[nodiscard]] Nanoseconds now_ns();

struct DemoAct {
  std::string name;   // as in the JSON: foreground, background_without, return, background_with
  std::string title;  // for people
  Nanoseconds begin = 0;
  Nanoseconds end = 0;  // 0 while it runs
};

// One change of one field on desk.
struct DemoChange {
  Nanoseconds written = 0;               // just before desk's commit
  std::optional<Nanoseconds> delivered;  // phone's observer callback
};

// A span in which something was so: "frozen", "call", "playing", "task".
struct DemoSpan {
  std::string kind;
  Nanoseconds begin = 0;
  Nanoseconds end = 0;  // 0 while it lasts
};

struct DemoRecord {
  std::uint64_t documents = 0;
  double initial_seconds = 0;
  std::vector<DemoAct> acts;
  std::map<std::int64_t, DemoChange> changes;  // by number
  std::vector<DemoSpan> spans;
  double catch_up_ms = 0;
  std::uint64_t catch_up_round_trips = 0;
  std::uint64_t interruptions = 0, recoveries = 0;
  double client_wakeups = 0, server_wakeups = 0;  // per second, in act 4
  std::string suspend, reclaim, audio;            // by which means

  void begin_span(const std::string& kind, Nanoseconds at);
  void end_span(const std::string& kind, Nanoseconds at);  // harmless when none is open
  [[nodiscard]] const DemoAct* act(const std::string& name) const;
};

// The figures of one act, over the changes written in it.
struct ActFigures {
  std::string name, title;
  std::size_t written = 0;
  std::size_t delivered_during = 0;
  std::size_t lost = 0;                  // never delivered, to the end of the demo
  std::optional<double> p50_ms, p99_ms;  // of those delivered during the act
};

[[nodiscard]] ActFigures figures_of(const DemoRecord& record, const DemoAct& act);
// Changes delivered while the phone was frozen: must be none.
[[nodiscard]] std::size_t delivered_while_frozen(const DemoRecord& record);
// What did not come out as promised, a sentence each; empty when all did.
[[nodiscard]] std::vector<std::string> broken_promises(const DemoRecord& record);

}  // namespace fermata::cli
