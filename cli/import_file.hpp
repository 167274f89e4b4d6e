// Brings the documents of a file into a collection, a batch at a time.
#pragma once

#include <functional>

#include "cli/record_reader.hpp"

namespace fermata::cli {

enum class BadRecords : std::uint8_t { Refuse, Skip };

struct ImportRequest {
  std::string collection, file;  // "-" for stdin
  ReadOptions read;
  BadRecords bad = BadRecords::Refuse;
};

struct ImportSummary {
  std::uint64_t imported = 0;
  std::uint64_t skipped = 0;
};

// Where they go: one transaction each time. Result: how many were taken.
using ImportBatch = std::function<Result<std::size_t>(const std::string& collection, std::vector<DocumentRecord>)>;

// What is told while it runs.
struct ImportEvents {
  // How far, in bytes of the file (`total` 0: unknown), and what is done with it.
  std::function<void(std::string_view doing, std::uint64_t done, std::uint64_t total)> progress;
  std::function<void(const std::string& why)> skipped;
};

// Each document takes its "_id" from the id field (a name or a dotted path; text or an integer); no two may have the
// same. A batch is one transaction of about 4 MiB of the file. A file of more than one is read twice, so that a bad
// record is told before anything is imported; of stdin, what stands before it has been imported by then. What is in the
// collection already and equal is not written, so an import that was interrupted is repeated. `open` is asked once,
// when a batch is ready. Errors: its own; as open_records(), RecordReader and SeenIds; InvalidArgument (no id, an id
// twice), TypeMismatch, those of the database. All name the file, and the line or the document's number.
[[nodiscard]] Result<ImportSummary> import_file(const ImportRequest& request,
                                                const std::function<Result<ImportBatch>()>& open,
                                                const ImportEvents& events);

}  // namespace fermata::cli
