#include "cli/parameters.hpp"

#include <fmt/core.h>

#include "cli/statement.hpp"
#include "cli/terminal.hpp"

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

void remark_unused(const Map& parameters, std::string_view statement) {
  for (const auto& [name, value] : parameters) {
    if (!mentions_parameter(statement, name)) say(fmt::format("remark: the statement does not use :{}", name));
  }
}

}  // namespace fermata::cli
