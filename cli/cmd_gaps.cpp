#include <sys/stat.h>

#include "cli/access.hpp"
#include "cli/files.hpp"
#include "cli/gap_record.hpp"
#include "cli/options.hpp"
#include "cli/terminal.hpp"

namespace fermata::cli {
namespace {

Status write_picture(const std::string& path, const Array& gaps) {
  auto file = NewFile::create(path, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
  if (!file) return fail(file.error());
  return finish_file(*file, gaps_svg(gaps));
}

}  // namespace

Result<int> run_gaps(const GapsOptions& options) {
  auto access = open_access(options.directory);
  if (!access) return fail(access.error());
  const auto ledger = (*access)->gaps();
  if (!ledger) return fail(ledger.error());
  static const Array kNone;
  const auto found = ledger->find("gaps");
  const Array* list = found == ledger->end() ? nullptr : found->second.if_a<Array>();
  const Array& gaps = list == nullptr ? kNone : *list;
  if (!options.svg.empty()) {
    if (auto drawn = write_picture(options.svg, gaps); !drawn) return fail(drawn.error());
    if (!options.json) return 0;
  }
  Output output;
  Status printed = options.json ? output.json(Map{{"gaps", gaps}}) : output.write(gaps_table(gaps));
  if (printed) printed = output.flush();
  if (!printed) return fail(printed.error());
  return 0;
}

}  // namespace fermata::cli
