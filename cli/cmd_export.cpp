#include <fmt/core.h>

#include "cli/access.hpp"
#include "cli/export_file.hpp"
#include "cli/files.hpp"
#include "cli/options.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"

namespace fermata::cli {
namespace {

bool goes_to_stdout(const ExportOptions& options) {
  return options.file.empty() || options.file == "-";
}

Result<Format> format_of_export(const ExportOptions& options) {
  if (!options.format.empty()) return format_named(options.format);
  return format_of(options.file).value_or(Format::Lines);
}

Result<ExportSummary> write_file(Access& access, const ExportOptions& options, Format format) {
  constexpr mode_t kEverybodyReads = 0666;  // less the umask
  auto file = NewFile::create(options.file, kEverybodyReads);
  if (!file) return fail(file.error());
  Output output(file->fd());
  auto summary = export_collection(access, options.collection, format, output);
  if (!summary) return fail(summary.error().code, fmt::format("{}: {}", options.file, summary.error().message));
  if (auto committed = file->commit(); !committed) return fail(committed.error());
  return summary;
}

Status tell(const ExportOptions& options, const ExportSummary& summary) {
  for (const std::string& loss : summary.losses) say("remark: CSV does not hold everything: " + loss);
  if (options.json) {
    // Where the documents are not.
    Output output(goes_to_stdout(options) ? 2 : 1);
    const Map words{{"collection", options.collection},
                    {"documents", Value(static_cast<long long>(summary.documents))},
                    {"losses", Array(summary.losses.begin(), summary.losses.end())}};
    if (auto written = output.json(words); !written) return written;
    return output.flush();
  }
  if (summary.documents == 0) say(fmt::format("remark: the collection {} holds no documents", options.collection));
  if (!goes_to_stdout(options))
    say(fmt::format("wrote {} to {}", counted(summary.documents, "document"), options.file));
  return {};
}

}  // namespace

Result<int> run_export(const ExportOptions& options) {
  const auto format = format_of_export(options);
  if (!format) return fail(format.error());
  auto access = open_access(options.directory);
  if (!access) return fail(access.error());
  Output output;
  auto summary = goes_to_stdout(options) ? export_collection(**access, options.collection, *format, output)
                                         : write_file(**access, options, *format);
  if (!summary) return fail(summary.error());
  if (auto told = tell(options, *summary); !told) return fail(told.error());
  return 0;
}

}  // namespace fermata::cli
