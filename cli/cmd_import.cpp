#include <fmt/core.h>

#include <chrono>

#include "cli/access.hpp"
#include "cli/import_file.hpp"
#include "cli/options.hpp"
#include "cli/terminal.hpp"

namespace fermata::cli {
Result<int> run_import(const ImportOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  std::size_t count = 0;
  {
    ProgressBar bar("importing");
    // The file first: a mistake in it is told without waiting for a database.
    auto documents = read_documents(options.file, options.id_field,
                                    [&bar](std::uint64_t done, std::uint64_t size) { bar.update(done, size); });
    if (!documents) return fail(documents.error());
    auto access = open_access(options.directory);
    if (!access) return fail(access.error());
    const std::size_t total = documents->size();
    auto imported = (*access)->import(options.collection, std::move(*documents), [&](std::size_t done) {
      bar.update(done, total);
      if (done == total) bar.note(fmt::format("{} documents: committing", total));
    });
    if (!imported) return fail(imported.error());
    count = *imported;
  }
  if (count == 0) {
    say(fmt::format("remark: {} holds no documents", options.file == "-" ? "stdin" : options.file));
    return 0;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  say(fmt::format("imported {} document{} into {} in {:.2f} s", count, count == 1 ? "" : "s", options.collection,
                  took.count()));
  return 0;
}

}  // namespace fermata::cli
