// Where a database directory keeps the secret of its group.
#pragma once

#include <string>

namespace fermata::cli {

[[nodiscard]] inline std::string secret_path(const std::string& directory) {
  return directory + "/group.secret";
}

}  // namespace fermata::cli
