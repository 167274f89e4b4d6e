#include "cli/parameters.hpp"

#include <fmt/core.h>

namespace fermata::cli {

Result<Map> parse_parameters(const std::vector<std::string>& entries) {
  Map parameters;
  for (const std::string& entry : entries) {
    const std::size_t equals = entry.find('=');
    std::string_view name = std::string_view(entry).substr(0, equals);
    if (name.starts_with(':')) name.remove_prefix(1);
    if (equals == std::string::npos || name.empty()) {
      return fail(ErrorCode::InvalidArgument, fmt::format("--param takes name=value, not \"{}\"", entry));
    }
    const std::string text = entry.substr(equals + 1);
    auto value = from_json(text);
    if (!parameters.emplace(name, value ? std::move(*value) : Value(text)).second) {
      return fail(ErrorCode::InvalidArgument, fmt::format("the parameter \"{}\" is given twice", name));
    }
  }
  return parameters;
}

}  // namespace fermata::cli
