// From every older format to this one.
#pragma once

#include "base/time.hpp"
#include "store/connection.hpp"

namespace fermata::store {

// Everything or nothing, in a transaction of its own. Needs space for a second copy of the documents meanwhile. `now`
// is when tombstones count as buried. Errors: NoSpace, Io, Corrupt.
[[nodiscard]] Status migrate(Connection& connection, WallTime now);

}  // namespace fermata::store
