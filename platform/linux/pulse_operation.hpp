// Requests to a sound server whose answers come to a callback, or to nobody.
#pragma once

#include <pulse/operation.h>

namespace fermata::linux_platform {

// `operation` may be null: then the request failed, and the connection's state says so.
inline void forget(pa_operation* operation) {
  if (operation != nullptr) {
    pa_operation_unref(operation);
  }
}

}  // namespace fermata::linux_platform
