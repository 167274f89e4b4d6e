// For what can only be asked from outside, again and again: what other processes have come to.
#pragma once

#include <chrono>

namespace fermata {

template <class Predicate>
[[nodiscard]] bool eventually(Predicate holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return false;
    }
  }
  return true;
}

}  // namespace fermata
