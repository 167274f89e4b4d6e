// How JSON carries what it lacks: as a map of one key that begins with "$". Internal to base.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/bytes.hpp"

namespace fermata {

// Turns each such map in `value`, as JSON text had it, into what it stands for; a key that nobody gave a meaning stands
// for itself. Errors: Malformed; LimitExceeded if there are more than `levels` below the value.
[[nodiscard]] Status resolve_marks(Value& value, std::size_t levels);

// Whether a map whose only key this is stands for a value of another kind.
[[nodiscard]] bool stands_for_value(std::string_view key);

}  // namespace fermata
