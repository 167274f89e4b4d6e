#include "query/functions.hpp"

#include <algorithm>
#include <vector>

#include "query/scalar.hpp"

namespace fermata::query {
namespace {

std::vector<Function> all_functions() {
  std::vector<Function> all;
  for (const auto family : {number_functions(), text_functions(), collection_functions(), time_functions()}) {
    all.insert(all.end(), family.begin(), family.end());
  }
  return all;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::span<const Function> functions() {
  static const std::vector<Function> all = all_functions();
  return all;
}

const Function* find_function(std::string_view name) {
  const auto same = [&](const Function& function) {
    return std::equal(name.begin(), name.end(), function.name.begin(), function.name.end(),
                      [](char a, char b) { return lower(a) == b; });
  };
  const auto all = functions();
  const auto found = std::find_if(all.begin(), all.end(), same);
  return found == all.end() ? nullptr : &*found;
}

std::optional<Value> call(const Function& function, Arguments arguments) {
  const auto is_nothing = [](const Value* value) { return value == nullptr || counts_as_null(*value); };
  if (function.nulls == Nulls::GiveNull && std::any_of(arguments.begin(), arguments.end(), is_nothing)) {
    return Value(nullptr);
  }
  return function.run(arguments);
}

}  // namespace fermata::query
