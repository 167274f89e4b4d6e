// bench_sync [--only SECTION] [--repeats N] [--documents N] [--json FILE]: what synchronising costs, and what the
// machine can do without us.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string_view>

#include "sections.hpp"

namespace fermata::bench {
namespace {

struct Options {
  std::string only, json;
  int repeats = 3;
  Sizes sizes;
};

struct Section {
  std::string_view name;
  void (*measure)(Report&, const Sizes&, int repeats);
};

constexpr Section kSections[] = {
    {"initial", measure_initial},     {"live", measure_live},     {"resume", measure_resume},
    {"strangers", measure_strangers}, {"memory", measure_memory}, {"subscriptions", measure_subscriptions},
    {"mesh", measure_mesh},
};

std::optional<Options> parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view name = arguments[i];
    if (name == "--only") {
      options.only = arguments[i + 1];
    } else if (name == "--json") {
      options.json = arguments[i + 1];
    } else if (name == "--repeats") {
      options.repeats = std::atoi(arguments[i + 1]);
    } else if (name == "--documents") {
      options.sizes.initial = options.sizes.resume = static_cast<std::size_t>(std::atoll(arguments[i + 1]));
    } else {
      return std::nullopt;
    }
  }
  const bool known =
      options.only.empty() || std::any_of(std::begin(kSections), std::end(kSections),
                                          [&](const Section& each) { return each.name == options.only; });
  const bool sensible = known && count % 2 == 1 && options.repeats > 0 && options.sizes.initial > 0;
  return sensible ? std::optional(options) : std::nullopt;
}

int run(const Options& options) {
  Report report;
  for (const Section& section : kSections) {
    if (options.only.empty() || options.only == section.name) section.measure(report, options.sizes, options.repeats);
  }
  fmt::print("{}", report.table());
  if (options.json.empty()) return 0;
  std::ofstream file(options.json);
  file << report.json();
  return file.good() ? 0 : 1;
}

void print_usage() {
  std::string names;
  for (const Section& section : kSections) names += fmt::format(" {}", section.name);
  fmt::print(stderr, "usage: bench_sync [--only SECTION] [--repeats N] [--documents N] [--json FILE]\nsections:{}\n",
             names);
}

}  // namespace
}  // namespace fermata::bench

int main(int count, char** arguments) {
  if (count == 3 && std::string_view(arguments[1]) == "--hub")
    return fermata::bench::serve_hub(static_cast<std::size_t>(std::atoll(arguments[2])));
  const auto options = fermata::bench::parse(count, arguments);
  if (!options) {
    fermata::bench::print_usage();
    return 2;
  }
  return fermata::bench::run(*options);
}
