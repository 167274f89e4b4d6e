// How much may be computed of one document. ANY and EVERY inside one another cost the product of their arrays' lengths,
// and a peer may choose all of them. Pure, and the same everywhere: what is beyond it is part of the language.
#pragma once

#include "base/bytes.hpp"

namespace fermata::query {

// A part of an expression that is computed is one step; so is each value that it looks at inside of an array or map,
// and each 256 bytes of text. One part over all of the largest document stays far below.
inline constexpr std::size_t kMaxSteps = 4'000'000;

// The steps of looking at all of a value, beside the one for looking at it.
[[nodiscard]] std::size_t steps_of(const Value& value);

class Budget {
 public:
  // Result: whether they were left. If not, nothing is any more.
  bool spend(std::size_t steps) {
    is_spent_ = is_spent_ || steps > left_;
    left_ = is_spent_ ? 0 : left_ - steps;
    return !is_spent_;
  }
  [[nodiscard]] bool is_spent() const { return is_spent_; }
  // Error: LimitExceeded if it is spent.
  [[nodiscard]] Status status() const;

 private:
  std::size_t left_ = kMaxSteps;
  bool is_spent_ = false;
};

}  // namespace fermata::query
