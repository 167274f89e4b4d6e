// from_json() for those who want to know which integers were written as {"$counter": n}. Internal to base.
#pragma once

#include <fermata/record.hpp>

namespace fermata {

// `counters`, if not null, receives their paths, and they become plain integers; else they stay maps. Errors: as
// from_json(), and Malformed for a counter that is no integer or stands in an array.
[[nodiscard]] Result<Value> read_json(std::string_view text, unsigned wrapping, std::vector<FieldPath>* counters);

// The part that finds them, in the tree as JSON text has it.
[[nodiscard]] Status take_counters(Value& tree, std::vector<FieldPath>& counters);

}  // namespace fermata
