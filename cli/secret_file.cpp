#include "cli/secret_file.hpp"

#include <fmt/core.h>

#include "cli/files.hpp"

namespace fermata::cli {

Result<Secret> read_secret(const std::string& path) {
  constexpr std::size_t kMaxBytes = 4096;
  auto text = read_file(path, kMaxBytes);
  if (!text && text.error().code == ErrorCode::LimitExceeded) {
    return fail(ErrorCode::InvalidArgument, path + " holds more than 4 KiB: that is no group's secret");
  }
  if (!text) return fail(text.error());
  auto secret = Secret::from_text(*text);
  if (!secret) return fail(secret.error().code, fmt::format("{}: {}", path, secret.error().message));
  return secret;
}

}  // namespace fermata::cli
