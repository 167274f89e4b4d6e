#include <fermata/peer.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/bytes.hpp"
#include "base/random.hpp"

namespace fermata {
namespace {

constexpr std::size_t kMinSecret = 16;
constexpr std::size_t kMaxFile = 4096;
constexpr std::string_view kWhiteSpace = " \t\r\n";

tl::unexpected<Error> cannot_read(const std::string& path) {
  const ErrorCode code = errno == ENOENT || errno == ENOTDIR ? ErrorCode::NotFound : ErrorCode::Io;
  return fail(code, fmt::format("cannot read the group secret {}: {}", path, std::strerror(errno)));
}

Result<std::string> read_up_to(int fd, std::size_t limit, const std::string& path) {
  std::string text(limit, '\0');
  std::size_t size = 0;
  while (size < limit) {
    const ssize_t n = ::read(fd, text.data() + size, limit - size);
    if (n == 0) break;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return cannot_read(path);
    size += static_cast<std::size_t>(n);
  }
  text.resize(size);
  return text;
}

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
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return cannot_read(path);
  auto text = read_up_to(fd, kMaxFile + 1, path);
  ::close(fd);
  if (!text) return fail(text.error());
  if (text->size() > kMaxFile) {
    return fail(ErrorCode::InvalidArgument, path + " holds more than 4 KiB: that is no group's secret");
  }
  auto secret = from_text(*text);
  if (!secret) return fail(secret.error().code, fmt::format("{}: {}", path, secret.error().message));
  return secret;
}

}  // namespace fermata
