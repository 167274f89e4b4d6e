// Asynchronous calls of libpulse.
#pragma once

#include <pulse/operation.h>

namespace fermata::phone {

// For a call whose end nobody waits for.
inline void forget(pa_operation* operation) {
  if (operation) pa_operation_unref(operation);
}

}  // namespace fermata::phone
