// What the machine can do without us, measured in the same run.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace fermata::bench {

// Inserts the rows of a Fermata database's documents into a new SQLite file with the same table, indexes and settings,
// 1,000 rows a transaction, in the same order. Result: rows per second; `cpu` is what they took of it, in seconds.
[[nodiscard]] double plain_inserts_per_second(const std::string& database, double& cpu);

// Seconds per call, one for each.
[[nodiscard]] std::vector<double> bare_commits(std::size_t count);            // UPDATE of one row of 300 bytes
[[nodiscard]] std::vector<double> tcp_one_way(std::size_t count, int bytes);  // half of a ping-pong between two threads

}  // namespace fermata::bench
