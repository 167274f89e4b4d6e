// One measurement: a way to keep alive, on a private sound server, in a process of its own.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace fermata::bench {

struct Rate {
  double wakeups_per_s = 0;  // voluntary context switches of all threads
  double cpu_percent = 0;
};

struct Row {
  std::string server, what;
  Rate client;
  std::optional<Rate> sound_server;  // the processes that carry the sound
};

// "pulseaudio continuous": what to measure, in the order of the table.
[[nodiscard]] std::vector<std::string> row_names();
// Starts what the row needs, warms up for 5 s, measures for that long. Nothing, with a line on stderr, where it could
// not be held.
[[nodiscard]] std::optional<Row> measure(const std::string& name, std::chrono::seconds span);

}  // namespace fermata::bench
