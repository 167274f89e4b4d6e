// What keeping alive costs, per strategy: samples of the process's counters in, averages out. Pure.
#pragma once

#include <fermata/background_sync.hpp>
#include <map>
#include <optional>
#include <vector>

#include "base/time.hpp"

namespace fermata::lifecycle {

// Not thread-safe. Take a sample at least whenever what is held changes.
class CostMeter {
 public:
  // The span since the sample before counts for the strategy that was held at its beginning. A counter that went back
  // (a thread ended, the sound server is another one) counts nothing for that span.
  void sample(const CostReading& reading, std::optional<Strategy> held, Instant now);

  // Those that were held for some time, in the order of the enumeration.
  [[nodiscard]] std::vector<StrategyCost> costs() const;

 private:
  struct Total {
    Duration time{0};
    CostSample used;
  };
  struct Totals {
    Total process, server;
  };
  struct Last {
    CostReading reading;
    std::optional<Strategy> held;
    Instant at;
  };

  static void add(Total& total, const CostSample& from, const CostSample& to, Duration span);

  std::map<Strategy, Totals> totals_;
  std::optional<Last> last_;
};

}  // namespace fermata::lifecycle
