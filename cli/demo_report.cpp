#include "cli/demo_report.hpp"

#include <fmt/format.h>
#include <fermata/value.hpp>

#include "cli/text.hpp"

namespace fermata::cli {
namespace {

Value optional_number(const std::optional<double>& number) {
  return number ? Value(*number) : Value(nullptr);
}

std::string ms_text(const std::optional<double>& number) {
  return number ? fmt::format("{:.1f}", *number) : "-";
}

Value count(std::size_t number) {
  return Value(static_cast<std::int64_t>(number));
}

}  // namespace

std::string demo_table(const DemoRecord& record) {
  std::string out = fmt::format("\n{:<36} {:>8} {:>10} {:>6} {:>9} {:>9}\n", "act", "written", "delivered", "lost",
                                "p50 ms", "p99 ms");
  for (const DemoAct& act : record.acts) {
    const ActFigures f = figures_of(record, act);
    out += fmt::format("{:<36} {:>8} {:>10} {:>6} {:>9} {:>9}\n", f.title, f.written, f.delivered_during, f.lost,
                       ms_text(f.p50_ms), ms_text(f.p99_ms));
  }
  out += fmt::format("\n  initial sync    {} in {:.2f} s\n", counted(record.documents, "document"),
                     record.initial_seconds);
  out += fmt::format("  catch-up        {:.0f} ms, {}\n", record.catch_up_ms,
                     counted(record.catch_up_round_trips, "round trip"));
  out += fmt::format("  interruptions   {} seen, {} recovered\n", record.interruptions, record.recoveries);
  out += fmt::format("  wakeups/s       {:.1f} ours while receiving 10 changes/s, {:.1f} the audio server's (act 4)\n",
                     record.client_wakeups, record.server_wakeups);
  out += fmt::format("  means           suspend: {}; reclaim: {}; audio: {}\n", record.suspend, record.reclaim,
                     record.audio);
  out +=
      "  delivered: during the act that wrote it; lost: never. Delays: from desk's commit to phone's observer, of "
      "those\n"
      "  delivered during the act; in act 2 the others waited for act 3.\n";
  return out;
}

std::string demo_json(const DemoRecord& record) {
  Array acts;
  for (const DemoAct& act : record.acts) {
    const ActFigures f = figures_of(record, act);
    acts.push_back(Map{{"name", f.name},
                       {"written", count(f.written)},
                       {"delivered_during", count(f.delivered_during)},
                       {"lost", count(f.lost)},
                       {"p50_ms", optional_number(f.p50_ms)},
                       {"p99_ms", optional_number(f.p99_ms)}});
  }
  return to_json(Map{
      {"initial", Map{{"documents", count(record.documents)}, {"seconds", record.initial_seconds}}},
      {"acts", std::move(acts)},
      {"catch_up", Map{{"ms", record.catch_up_ms}, {"round_trips", count(record.catch_up_round_trips)}}},
      {"interruptions", Map{{"seen", count(record.interruptions)}, {"recovered", count(record.recoveries)}}},
      {"wakeups_per_s", Map{{"client", record.client_wakeups}, {"server", record.server_wakeups}}},
      {"means", Map{{"suspend", record.suspend}, {"reclaim", record.reclaim}, {"audio", record.audio}}},
  });
}

}  // namespace fermata::cli
