// Writes the documents of a collection in a format, a step at a time.
#pragma once

#include "cli/access.hpp"
#include "cli/record_reader.hpp"
#include "cli/terminal.hpp"

namespace fermata::cli {

struct ExportSummary {
  std::uint64_t documents = 0;
  std::vector<std::string> losses;  // what the format could not hold, in words
};

// The documents by id, each in a state that it had meanwhile. CSV takes two passes: the first finds the columns.
// Errors: those of the access and the output; LimitExceeded for more columns than kMaxColumns.
inline constexpr std::size_t kMaxColumns = 10'000;
[[nodiscard]] Result<ExportSummary> export_collection(Access& access, const std::string& collection, Format format,
                                                      Output& output);

}  // namespace fermata::cli
