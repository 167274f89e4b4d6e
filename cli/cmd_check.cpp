#include <fmt/core.h>

#include <fermata/check.hpp>

#include "cli/exit_code.hpp"
#include "cli/options.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"

namespace fermata::cli {
namespace {

Result<CheckReport> check_with_bar(const CheckVerbOptions& options) {
  ProgressBar bar("checking");
  return check_database(options.directory, options.repair ? CheckMode::Repair : CheckMode::Report,
                        [&bar](std::uint64_t done, std::uint64_t total) { bar.update(done, total); });
}

Value list_of(const std::vector<std::string>& lines) {
  Array list;
  for (const std::string& line : lines) list.emplace_back(line);
  return list;
}

Map as_object(const CheckReport& report) {
  return Map{{"sound", report.sound()},
             {"documents", static_cast<std::int64_t>(report.documents)},
             {"tombstones", static_cast<std::int64_t>(report.tombstones)},
             {"attachments", static_cast<std::int64_t>(report.attachments)},
             {"found", list_of(report.found)},
             {"repaired", list_of(report.repaired)},
             {"remaining", list_of(report.remaining)}};
}

std::string section(std::string_view title, const std::vector<std::string>& lines) {
  if (lines.empty()) return {};
  std::string text = fmt::format("{}:\n", title);
  for (const std::string& line : lines) text += fmt::format("  {}\n", printable(line));
  return text;
}

std::string text_for_people(const CheckReport& report, const CheckVerbOptions& options) {
  std::string text = section("found", report.found) + section("repaired", report.repaired);
  if (options.repair) text += section("still damaged", report.remaining);
  text += fmt::format("{}: {}, {}, {}\n", report.sound() ? "sound" : "damaged", counted(report.documents, "document"),
                      counted(report.tombstones, "deletion"), counted(report.attachments, "attachment"));
  if (!report.sound() && !options.repair) {
    text += fmt::format("fermata check {} --repair saves what can be saved\n", printable(options.directory));
  }
  return text;
}

}  // namespace

Result<int> run_check(const CheckVerbOptions& options) {
  const auto report = check_with_bar(options);
  if (!report) return fail(report.error());
  Output output;
  Status printed = options.json ? output.json(as_object(*report)) : output.write(text_for_people(*report, options));
  if (printed) printed = output.flush();
  if (!printed) return fail(printed.error());
  return report->sound() ? 0 : exit_code(ErrorCode::Corrupt);
}

}  // namespace fermata::cli
