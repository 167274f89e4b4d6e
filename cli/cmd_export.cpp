#include <fmt/core.h>

#include "cli/access.hpp"
#include "cli/files.hpp"
#include "cli/options.hpp"
#include "cli/statement.hpp"
#include "cli/terminal.hpp"

namespace fermata::cli {
namespace {

Status write_lines(Output& output, const std::vector<Map>& documents) {
  for (const Map& document : documents) {
    if (auto status = output.json(document); !status) return status;
  }
  return output.flush();
}

Status write_file(const std::string& path, const std::vector<Map>& documents) {
  constexpr mode_t kEverybodyReads = 0666;  // less the umask
  auto file = NewFile::create(path, kEverybodyReads);
  if (!file) return fail(file.error());
  Output output(file->fd());
  if (auto status = write_lines(output, documents); !status) {
    return fail(status.error().code, fmt::format("{}: {}", path, status.error().message));
  }
  return file->commit();
}

}  // namespace

Result<int> run_export(const ExportOptions& options) {
  auto access = open_access(options.directory);
  if (!access) return fail(access.error());
  auto result = (*access)->execute("SELECT * FROM " + quoted_name(options.collection) + " ORDER BY _id", {});
  if (!result) return fail(result.error());
  if (result->items.empty()) say(fmt::format("remark: the collection {} holds no documents", options.collection));
  Output output;
  const bool to_stdout = options.file.empty() || options.file == "-";
  const Status written = to_stdout ? write_lines(output, result->items) : write_file(options.file, result->items);
  if (!written) return fail(written.error());
  if (!to_stdout) say(fmt::format("wrote {} documents to {}", result->items.size(), options.file));
  return 0;
}

}  // namespace fermata::cli
