// Documents in a file: a JSON array, a JSON object of arrays, one JSON object, or one object a line (NDJSON).
#pragma once

#include <cstdint>
#include <fermata/value.hpp>
#include <functional>
#include <string>
#include <vector>

namespace fermata::cli {

// How far, in bytes of the file.
using ReadProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// The documents of a file, "-" for stdin, each with an "_id" taken from `id_field` (a name or a dotted path; text or an
// integer). Errors: NotFound, Io; LimitExceeded beyond 1 GiB; Malformed with the line; InvalidArgument (no id, an id
// twice) or TypeMismatch naming the document by its number, or its line in NDJSON.
[[nodiscard]] Result<std::vector<Map>> read_documents(const std::string& path, const std::string& id_field,
                                                      const ReadProgress& progress = {});

}  // namespace fermata::cli
