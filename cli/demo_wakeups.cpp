#include "cli/demo_wakeups.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace fermata::cli {

std::uint64_t voluntary_switches(pid_t pid) {
  std::uint64_t sum = 0;
  std::error_code ignored;
  for (const auto& task : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid), ignored)) {
    std::ifstream status(task.path() / "status");
    for (std::string word; status >> word;) {
      std::uint64_t count = 0;
      if (word == "voluntary_ctxt_switches:" && status >> count) sum += count;
    }
  }
  return sum;
}

}  // namespace fermata::cli
