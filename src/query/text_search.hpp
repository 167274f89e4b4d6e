// Looking for one text in another. Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace fermata::query {

// Where the part begins, at `from` or behind; npos if nowhere. Takes time in proportion to the text, which
// std::string_view::find does not promise: that is quadratic for some texts, and a peer may choose both.
[[nodiscard]] std::size_t find_part(std::string_view text, std::string_view part, std::size_t from = 0);

}  // namespace fermata::query
