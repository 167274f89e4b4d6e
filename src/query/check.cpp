#include <fermata/check.hpp>

#include "query/sqlite_functions.hpp"
#include "store/check.hpp"

namespace fermata {

Result<CheckReport> check_database(const std::string& directory, CheckMode mode, const Progress& progress) {
  store::CheckOptions options;
  options.directory = directory;
  options.mode = mode;
  options.setup = query::register_functions;
  options.progress = progress;
  return store::check(options);
}

}  // namespace fermata
