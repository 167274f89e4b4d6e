// LIKE on text that may be a peer's, by a pattern that may be another's.
#pragma once

#include <cstddef>
#include <string_view>

namespace fermata::query {

// % is any text, _ is any one character; ASCII letters match in either case. Both are UTF-8. The time it takes grows
// with the text, and by no more than a 64th of the pattern's bytes with each byte of it.
// `little`: up to so many comparisons a part of the pattern is simply tried everywhere, which is quicker then.
[[nodiscard]] bool like_text(std::string_view text, std::string_view pattern, std::size_t little = 1u << 12);

}  // namespace fermata::query
