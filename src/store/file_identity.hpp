// Whether the database's file is the one that it was, or a copy.
#pragma once

#include <optional>
#include <string>

#include "base/time.hpp"

namespace fermata::store {

// Tells a file from its copies, and stays when it is moved or written to: inode, and birth where the file system knows
// it (a change time would not stay). Empty if the file cannot be asked.
[[nodiscard]] std::string identity_of_file(const std::string& path);
// Whether `remembered` names another file than `actual`. A birth that only one of them has says nothing: another kernel
// may have learned to tell it.
[[nodiscard]] bool is_another_file(const std::string& remembered, const std::string& actual);

// When the file was last written to by anybody, as the file system knows it, whatever time a copy claims. Nothing if it
// cannot be asked.
[[nodiscard]] std::optional<WallTime> last_change(const std::string& path);
// A copy that was put over the file keeps its inode and birth, but not its change time: that is later than the last
// commit in it, or the closing. What a slow disk takes for those is no sign, nor is kWrittenEvery.
[[nodiscard]] bool is_put_back(std::optional<WallTime> changed, WallTime written);

}  // namespace fermata::store
