// The secret of a group, and where a database directory keeps it.
#pragma once

#include <fermata/peer.hpp>
#include <string>

namespace fermata::cli {

[[nodiscard]] inline std::string secret_path(const std::string& directory) {
  return directory + "/group.secret";
}

// As Secret::from_file, and says why a file cannot be read. Errors: NotFound, Io, InvalidArgument (shorter than 16
// bytes, or more than 4 KiB).
[[nodiscard]] Result<Secret> read_secret(const std::string& path);

}  // namespace fermata::cli
