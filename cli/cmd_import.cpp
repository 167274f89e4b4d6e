#include <fmt/core.h>

#include <chrono>

#include "cli/access.hpp"
#include "cli/import_file.hpp"
#include "cli/options.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"

namespace fermata::cli {
namespace {

constexpr std::uint64_t kToldSkipped = 10;

Result<ImportRequest> request_of(const ImportOptions& options) {
  ImportRequest request{.collection = options.collection, .file = options.file, .read = {.id_field = options.id_field}};
  if (options.skip_bad) request.bad = BadRecords::Skip;
  if (!options.format.empty()) {
    auto format = format_named(options.format);
    if (!format) return fail(format.error());
    request.read.format = *format;
  }
  auto types = parse_types(options.types);
  if (!types) return fail(types.error());
  request.read.types = std::move(*types);
  return request;
}

Result<ImportSummary> import_with_bar(const ImportOptions& options, const ImportRequest& request) {
  std::unique_ptr<Access> access;
  const auto open = [&]() -> Result<ImportBatch> {
    auto opened = open_access(options.directory);
    if (!opened) return fail(opened.error());
    access = std::move(*opened);
    return [&access](const std::string& collection, std::vector<DocumentRecord> records) {
      return access->import(collection, std::move(records));
    };
  };
  ProgressBar bar("importing");
  std::uint64_t skipped = 0;
  const ImportEvents events{.progress =
                                [&bar](std::string_view doing, std::uint64_t done, std::uint64_t total) {
                                  if (total == 0) return bar.note(counted(done, "byte"));
                                  bar.rename(doing);
                                  bar.update(done, total);
                                },
                            .skipped =
                                [&](const std::string& why) {
                                  if (++skipped <= kToldSkipped) say("skipped: " + why);
                                  if (skipped == kToldSkipped + 1) say("skipped: more, which are only counted");
                                }};
  return import_file(request, open, events);
}

}  // namespace

Result<int> run_import(const ImportOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const auto request = request_of(options);
  if (!request) return fail(request.error());
  const auto done = import_with_bar(options, *request);
  if (!done) return fail(done.error());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  if (options.json) {
    Output output;
    const auto count = [](std::uint64_t number) { return Value(static_cast<long long>(number)); };
    Status written = output.json(Map{{"collection", options.collection},
                                     {"imported", count(done->imported)},
                                     {"skipped", count(done->skipped)},
                                     {"seconds", took.count()}});
    if (written) written = output.flush();
    if (!written) return fail(written.error());
    return 0;
  }
  const std::string name = options.file == "-" ? "stdin" : options.file;
  if (done->imported == 0 && done->skipped == 0) {
    say(fmt::format("remark: {} holds no documents", name));
    return 0;
  }
  say(fmt::format("imported {} into {} in {:.2f} s{}", counted(done->imported, "document"), options.collection,
                  took.count(), done->skipped == 0 ? "" : "; skipped " + counted(done->skipped, "bad record")));
  return 0;
}

}  // namespace fermata::cli
