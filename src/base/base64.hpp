// Base64 (RFC 4648 §4) with padding.
#pragma once

#include "base/bytes.hpp"

namespace fermata {

[[nodiscard]] std::string to_base64(ByteView bytes);
[[nodiscard]] Result<Bytes> from_base64(std::string_view text);

}  // namespace fermata
