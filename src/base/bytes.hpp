// Views over bytes, and their hex form.
#pragma once

#include <cstdint>
#include <fermata/value.hpp>
#include <span>
#include <string>

namespace fermata {

using ByteView = std::span<const std::uint8_t>;

[[nodiscard]] std::string to_hex(ByteView bytes);
[[nodiscard]] Result<Bytes> from_hex(std::string_view text);
[[nodiscard]] inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace fermata
