// backup and compact.
#include <fmt/core.h>

#include <chrono>
#include <filesystem>

#include "cli/access.hpp"
#include "cli/options.hpp"
#include "cli/terminal.hpp"

namespace fermata::cli {
namespace {

double mebibytes_in(const std::string& directory) {
  std::error_code ignored;
  const auto bytes = std::filesystem::file_size(directory + "/fermata.db", ignored);
  return ignored ? 0 : static_cast<double>(bytes) / (1 << 20);
}

Status with_bar(const std::string& label, const std::function<Status(const Progress&)>& work) {
  ProgressBar bar(label);
  return work([&bar](std::uint64_t done, std::uint64_t total) { bar.update(done, total); });
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

Result<int> run_backup(const BackupOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  auto access = open_access(options.directory);
  if (!access) return fail(access.error());
  // A server has a working directory of its own.
  std::error_code failure;
  const std::string target = std::filesystem::absolute(options.target, failure);
  if (failure) return fail(ErrorCode::Io, fmt::format("{}: {}", options.target, failure.message()));
  const Status done =
      with_bar("backing up", [&](const Progress& progress) { return (*access)->backup(target, progress); });
  if (!done) return fail(done.error());
  say(fmt::format("backed up {} into {}: {:.1f} MiB in {:.2f} s", options.directory, options.target,
                  mebibytes_in(options.target), seconds_since(start)));
  return 0;
}

Result<int> run_compact(const CompactOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  auto access = open_access(options.directory);
  if (!access) return fail(access.error());
  const double before = mebibytes_in(options.directory);
  const Status done = with_bar("compacting", [&](const Progress& progress) { return (*access)->compact(progress); });
  if (!done) return fail(done.error());
  say(fmt::format("compacted {}: {:.1f} MiB, was {:.1f} MiB, in {:.2f} s", options.directory,
                  mebibytes_in(options.directory), before, seconds_since(start)));
  return 0;
}

}  // namespace fermata::cli
