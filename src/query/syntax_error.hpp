// Where in a text something is wrong, and what was meant, for people.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace fermata::query {

// " at line 2, column 7:", the source line (or the part of a long one around the place), and a caret under the place.
// Columns count characters, from 1. `text` is UTF-8.
[[nodiscard]] std::string mark_position(std::string_view text, std::size_t offset);

// "; did you mean NAME?" for the candidate that a slip or two of the fingers away is; else nothing. All in lower case.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

// The same for the word at that place among the words of the language.
[[nodiscard]] std::string suggest_keyword(std::string_view text, std::size_t offset);

}  // namespace fermata::query
