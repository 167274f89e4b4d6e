#include "phone/temp_folder.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace fermata::phone {

void remove_folder(const std::string& path) {
  constexpr int kTries = 200;
  constexpr int kPauseMs = 10;
  std::error_code error;
  for (int i = 0; i < kTries; ++i) {
    std::filesystem::remove_all(path, error);
    if (!error) return;
    poll(nullptr, 0, kPauseMs);
  }
}

Result<TempFolder> TempFolder::make() {
  const char* parent = getenv("TMPDIR");
  std::string path = fmt::format("{}/fermata-phone-XXXXXX", parent && *parent ? parent : "/tmp");
  if (!mkdtemp(path.data()))
    return fail(ErrorCode::Io, fmt::format("cannot make a folder like {}: {}; set TMPDIR", path, std::strerror(errno)));
  return TempFolder(std::move(path));
}

TempFolder::~TempFolder() {
  if (!path_.empty()) remove_folder(path_);
}

}  // namespace fermata::phone
