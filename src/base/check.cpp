#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace fermata::detail {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "fermata: bug: %s does not hold at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace fermata::detail
