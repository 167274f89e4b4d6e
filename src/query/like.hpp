// LIKE on text that may be a peer's, by a pattern that may be another's.
#pragma once

#include <string_view>

namespace fermata::query {

// % is any text, _ is any one character; ASCII letters match in either case. Both are UTF-8. The time it takes grows
// with the text, and by no more than a 64th of the pattern's bytes with each byte of it.
[[nodiscard]] bool like_text(std::string_view text, std::string_view pattern);

}  // namespace fermata::query
