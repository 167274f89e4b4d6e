// bench_store [--only SECTION] [--repeats N] [--count N] [--documents N] [--commits N] [--json FILE]: what documents
// cost to write and to read, and what plain SQLite takes for the same in the same run.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
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

constexpr Section kSections[] = {{"commits", measure_commits},
                                 {"reads", measure_reads},
                                 {"scans", measure_scans},
                                 {"bulk", measure_bulk},
                                 {"attachments", measure_attachments}};

bool take(Options& options, std::string_view name, const char* value) {
  const auto number = static_cast<std::size_t>(std::max(0LL, std::atoll(value)));
  if (name == "--only") {
    options.only = value;
  } else if (name == "--json") {
    options.json = value;
  } else if (name == "--repeats") {
    options.repeats = std::atoi(value);
  } else if (name == "--count") {
    options.sizes.bulk = number;
  } else if (name == "--documents") {
    options.sizes.documents = number;
  } else if (name == "--commits") {
    options.sizes.commits = number;
  } else {
    return false;
  }
  return true;
}

// Groups of whole documents: the floors' answers are counted.
constexpr std::size_t kRound = 1000;

std::optional<Options> parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i + 1 < count; i += 2) {
    if (!take(options, arguments[i], arguments[i + 1])) return std::nullopt;
  }
  const bool known =
      options.only.empty() || std::any_of(std::begin(kSections), std::end(kSections),
                                          [&](const Section& each) { return each.name == options.only; });
  const Sizes& sizes = options.sizes;
  const bool sensible = sizes.bulk > 0 && sizes.commits > 0 && sizes.documents > 0 && sizes.documents % kRound == 0;
  return known && sensible && count % 2 == 1 && options.repeats > 0 ? std::optional(options) : std::nullopt;
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
  fmt::print(
      stderr,
      "usage: bench_store [--only SECTION] [--repeats N] [--count N] [--documents N] [--commits N] [--json FILE]\n"
      "--count is of bulk, --documents (thousands) of all else\nsections:{}\n",
      names);
}

}  // namespace
}  // namespace fermata::bench

int main(int count, char** arguments) {
  const auto options = fermata::bench::parse(count, arguments);
  if (!options) {
    fermata::bench::print_usage();
    return 2;
  }
  return fermata::bench::run(*options);
}
