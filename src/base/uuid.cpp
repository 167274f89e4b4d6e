#include "base/uuid.hpp"

namespace fermata {
namespace {

constexpr std::size_t kTextSize = 36;

constexpr bool is_dash(std::size_t at) {
  return at == 8 || at == 13 || at == 18 || at == 23;
}

// 16 for what is no digit.
constexpr unsigned digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  return 16;
}

}  // namespace

std::optional<UuidBytes> uuid_bytes(std::string_view text) {
  if (text.size() != kTextSize) return std::nullopt;
  UuidBytes bytes{};
  std::size_t nibble = 0;
  for (std::size_t i = 0; i < kTextSize; ++i) {
    if (is_dash(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const unsigned value = digit(text[i]);
    if (value > 15) return std::nullopt;
    std::uint8_t& byte = bytes[nibble / 2];
    byte = static_cast<std::uint8_t>(nibble % 2 == 0 ? value << 4U : byte | value);
    ++nibble;
  }
  return bytes;
}

std::string uuid_text(const UuidBytes& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(kTextSize, '-');
  std::size_t at = 0;
  for (const std::uint8_t byte : bytes) {
    if (is_dash(at)) ++at;
    text[at++] = kDigits[byte >> 4U];
    text[at++] = kDigits[byte & 15U];
  }
  return text;
}

}  // namespace fermata
