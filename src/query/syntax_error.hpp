// Where in a text something is wrong, for people.
#pragma once

#include <string>
#include <string_view>

namespace fermata::query {

// " at line 2, column 7:", the source line (or the part of a long one around the place), and a caret under the place.
// Columns count characters, from 1. `text` is UTF-8.
[[nodiscard]] std::string mark_position(std::string_view text, std::size_t offset);

}  // namespace fermata::query
