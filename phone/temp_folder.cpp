#include "phone/temp_folder.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace fermata::phone {

Result<TempFolder> TempFolder::make() {
  const char* parent = getenv("TMPDIR");
  std::string path = fmt::format("{}/fermata-phone-XXXXXX", parent && *parent ? parent : "/tmp");
  if (!mkdtemp(path.data()))
    return fail(ErrorCode::Io, fmt::format("cannot make a folder like {}: {}; set TMPDIR", path, std::strerror(errno)));
  return TempFolder(std::move(path));
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace fermata::phone
