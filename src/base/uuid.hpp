// The two forms of a UUID (RFC 9562): 36 characters for people, 16 bytes for the wire.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace fermata {

using UuidBytes = std::array<std::uint8_t, 16>;

// Nothing unless `text` is a UUID in its canonical form: lower case, dashes where they belong. So for whatever has
// bytes, uuid_text() gives back the same text.
[[nodiscard]] std::optional<UuidBytes> uuid_bytes(std::string_view text);
[[nodiscard]] std::string uuid_text(const UuidBytes& bytes);

}  // namespace fermata
