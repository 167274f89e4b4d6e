// The little that the command line must know of a statement's text. The library has parsed it by then.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fermata::cli {

// Whether it begins as a statement that changes something.
[[nodiscard]] bool writes(std::string_view statement);

// The collection of a SELECT; nothing for any other statement.
[[nodiscard]] std::optional<std::string> selected_collection(std::string_view statement);
// Whether ":NAME" occurs anywhere, be it in a quoted text.
[[nodiscard]] bool mentions_parameter(std::string_view statement, std::string_view name);
// A name as a statement can hold it, whatever it is: in double quotes.
[[nodiscard]] std::string quoted_name(std::string_view name);

}  // namespace fermata::cli
