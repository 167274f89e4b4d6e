// --param name=value, as given on the command line.
#pragma once

#include <fermata/value.hpp>
#include <string>
#include <vector>

namespace fermata::cli {

// Each entry is "name=value", the name with or without its colon. A value that is JSON is taken as JSON, any other as
// text: 5 is a number, "5" in quotes and five are text. Errors: InvalidArgument.
[[nodiscard]] Result<Map> parse_parameters(const std::vector<std::string>& entries);

}  // namespace fermata::cli
