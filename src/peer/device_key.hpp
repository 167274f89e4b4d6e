// The device's own key, kept in its database directory.
#pragma once

#include <string>

#include "base/bytes.hpp"

namespace fermata {

// The 32 bytes in DIRECTORY/device.key, made and stored (readable by the owner only) at first use.
// Errors: Corrupt if the file is not a key, NoSpace, Io.
[[nodiscard]] Result<Bytes> load_device_key(const std::string& directory);

}  // namespace fermata
