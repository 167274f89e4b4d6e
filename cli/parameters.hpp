// --param name=value, as given on the command line.
#pragma once

#include <fermata/value.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace fermata::cli {

// Each entry is "name=value", the name with or without its colon. A value that is JSON is taken as JSON, any other as
// text: 5 is a number, "5" in quotes and five are text. Errors: InvalidArgument.
[[nodiscard]] Result<Map> parse_parameters(const std::vector<std::string>& entries);

// A remark on stderr about each parameter that the statement does not name: mistyped, most likely.
void remark_unused(const Map& parameters, std::string_view statement);

}  // namespace fermata::cli
