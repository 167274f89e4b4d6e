#include "measure.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string_view>

namespace fermata::bench {

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

namespace {

double status_bytes(std::string_view name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name)) return std::atof(line.c_str() + name.size()) * 1024;
  }
  return 0;
}

}  // namespace

double memory_bytes() {
  return status_bytes("VmRSS:");
}

double peak_memory_bytes() {
  return status_bytes("VmHWM:");
}

void reset_peak_memory() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

void require(bool holds, const std::string& words) {
  if (holds) return;
  std::fputs(("bench: " + words + "\n").c_str(), stderr);
  std::exit(1);
}

Map sample_document(std::size_t number) {
  std::string text;
  for (std::size_t i = 0; text.size() < 150; ++i)
    text += fmt::format("word{:04x} ", (number * 2654435761u + i) & 0xffff);
  text.resize(150);
  return Map{{"title", fmt::format("Item number {}", number)},
             {"text", std::move(text)},
             {"done", number % 3 == 0},
             {"priority", static_cast<std::int64_t>(number % 5)},
             {"group", fmt::format("group-{:04}", number % 1000)},
             {"created", static_cast<std::int64_t>(1'760'000'000'000 + number)}};
}

}  // namespace fermata::bench
