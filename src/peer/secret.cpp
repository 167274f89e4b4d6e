#include <fermata/peer.hpp>

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "base/bytes.hpp"
#include "base/random.hpp"

namespace fermata {
namespace {

constexpr std::size_t kMinSecret = 16;
constexpr std::string_view kWhiteSpace = " \t\r\n";

}  // namespace

Secret Secret::generate() {
  std::uint8_t bytes[32];
  system_random().fill(bytes);
  return Secret(to_hex(bytes));
}

Result<Secret> Secret::from_text(std::string_view text) {
  const auto first = text.find_first_not_of(kWhiteSpace);
  text = first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(kWhiteSpace) - first + 1);
  if (text.size() < kMinSecret) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("the group secret has {} bytes; it needs at least {}", text.size(), kMinSecret));
  }
  return Secret(std::string(text));
}

Result<Secret> Secret::from_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::NotFound, fmt::format("cannot read the group secret in {}", path));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto secret = from_text(text);
  if (!secret) return fail(secret.error().code, fmt::format("{}: {}", path, secret.error().message));
  return secret;
}

}  // namespace fermata
