// bench_keepalive [--seconds N] [--json FILE]: what each way of keeping alive costs, us and the sound server.
// All ways are measured at once, each in a process and on servers of its own.
#include <fmt/format.h>

#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string_view>

#include "integration/platform/child.hpp"
#include "row.hpp"

namespace fermata::bench {
namespace {

constexpr std::chrono::seconds kThreeRefills(3 *
                                             72);  // a continuous stream is refilled every 24 s, its server less often

struct Options {
  std::chrono::seconds span = kThreeRefills;
  std::string json, row;  // `row`: measure only that, and print it for the process that asked
};

std::optional<Options> parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view name = arguments[i];
    if (name == "--seconds") {
      options.span = std::chrono::seconds(std::atoi(arguments[i + 1]));
    } else if (name == "--json") {
      options.json = arguments[i + 1];
    } else if (name == "--row") {
      options.row = arguments[i + 1];
    } else {
      return std::nullopt;
    }
  }
  return count % 2 == 1 && options.span.count() > 0 ? std::optional(options) : std::nullopt;
}

std::string object(const Rate& rate) {
  return fmt::format(R"({{"wakeups_per_s":{:.3f},"cpu_percent":{:.4f}}})", rate.wakeups_per_s, rate.cpu_percent);
}

std::string json_of(const Row& row) {
  return fmt::format(R"({{"server":"{}","what":"{}","client":{},"sound_server":{}}})", row.server, row.what,
                     object(row.client), row.sound_server ? object(*row.sound_server) : "null");
}

std::string words_of(const Rate& rate) {
  return fmt::format("{:>10.2f} {:>8.3f}", rate.wakeups_per_s, rate.cpu_percent);
}

std::string line_of(const Row& row) {
  return fmt::format("{:<12} {:<17} {} {}\n", row.server, row.what, words_of(row.client),
                     row.sound_server ? words_of(*row.sound_server) : std::string(18, ' ') + "-");
}

int measure_one(const Options& options) {
  ::setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1);  // never the machine's own
  ::setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1);
  ::unsetenv("FERMATA_PHONE_SOCKET");
  const auto row = measure(options.row, options.span);
  if (row) {
    fmt::print("{}{}\n", line_of(*row), json_of(*row));
  }
  return row ? 0 : 1;
}

int measure_all(const Options& options, const std::string& self) {
  const ScratchDirectory folder;
  const auto names = row_names();
  std::vector<std::unique_ptr<Child>> children;
  for (std::size_t i = 0; i < names.size(); ++i) {
    children.push_back(std::make_unique<Child>(
        std::vector<std::string>{self, "--row", names[i], "--seconds", std::to_string(options.span.count())},
        std::vector<std::string>{}, fmt::format("{}/{}", folder.path(), i)));
  }
  fmt::print("{:<30} {:>19} {:>19}\n{:<30} {:>10} {:>8} {:>10} {:>8}\n", "", "client", "sound server", "", "wakeups/s",
             "CPU %", "wakeups/s", "CPU %");
  std::string json;
  int failed = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    siginfo_t ended{};
    ::waitid(P_PID, static_cast<id_t>(children[i]->pid()), &ended,
             WEXITED | WNOWAIT);  // the child is reaped by its owner
    std::ifstream output(fmt::format("{}/{}", folder.path(), i));
    std::string line, document;
    const bool whole = ended.si_status == 0 && std::getline(output, line) && std::getline(output, document);
    fmt::print("{}\n", whole ? line : fmt::format("{}: failed: {}", names[i], line));
    failed += whole ? 0 : 1;
    json += whole ? (json.empty() ? "" : ",\n  ") + document : "";
  }
  if (!options.json.empty()) {
    std::ofstream(options.json) << fmt::format("{{\"seconds\":{},\"rows\":[\n  {}\n]}}\n", options.span.count(), json);
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace fermata::bench

int main(int count, char** arguments) {
  const auto options = fermata::bench::parse(count, arguments);
  if (!options) {
    fmt::print(stderr, "usage: bench_keepalive [--seconds N] [--json FILE]\n");
    return 2;
  }
  return options->row.empty() ? fermata::bench::measure_all(*options, arguments[0])
                              : fermata::bench::measure_one(*options);
}
