#include "lifecycle/cost_meter.hpp"

namespace fermata::lifecycle {
namespace {

double seconds_of(Duration span) {
  return std::chrono::duration<double>(span).count();
}

double per_second(const CostSample& used, Duration span) {
  return static_cast<double>(used.wakeups) / seconds_of(span);
}

double percent(const CostSample& used, Duration span) {
  return 100.0 * seconds_of(used.cpu) / seconds_of(span);
}

}  // namespace

void CostMeter::add(Total& total, const CostSample& from, const CostSample& to, Duration span) {
  total.time += span;
  total.used.wakeups += to.wakeups > from.wakeups ? to.wakeups - from.wakeups : 0;
  total.used.cpu += to.cpu > from.cpu ? to.cpu - from.cpu : Duration::zero();
}

void CostMeter::sample(const CostReading& reading, std::optional<Strategy> held, Instant now) {
  if (last_ && last_->held && now > last_->at) {
    Totals& totals = totals_[*last_->held];
    const Duration span = now - last_->at;
    add(totals.process, last_->reading.process, reading.process, span);
    const auto& before = last_->reading.sound_server;
    const auto& after = reading.sound_server;
    if (before && after && after->cpu >= before->cpu) {
      add(totals.server, *before, *after, span);
    }
  }
  last_ = Last{reading, held, now};
}

std::vector<StrategyCost> CostMeter::costs() const {
  std::vector<StrategyCost> all;
  for (const auto& [strategy, totals] : totals_) {
    const auto& [process, server] = totals;
    StrategyCost cost{.strategy = strategy,
                      .held = std::chrono::duration_cast<std::chrono::milliseconds>(process.time)};
    cost.wakeups_per_s = per_second(process.used, process.time);
    cost.cpu_percent = percent(process.used, process.time);
    if (server.time > Duration::zero()) {
      cost.server_wakeups_per_s = per_second(server.used, server.time);
      cost.server_cpu_percent = percent(server.used, server.time);
    }
    all.push_back(cost);
  }
  return all;
}

}  // namespace fermata::lifecycle
