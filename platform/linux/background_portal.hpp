// Asks the desktop's portal that we may run in the background, where there is a portal: desktops that have one may
// report or end apps that have not asked.
//
// Owned and called by one thread.
#pragma once

#include <memory>

#include "bus.hpp"

namespace fermata::linux_platform {

class BackgroundPortal {
 public:
  // Asks at the first call and never again. Does not wait; a refusal is said once on stderr and changes nothing.
  void ask();

 private:
  bool asked_ = false;
  std::unique_ptr<Bus> bus_;
};

}  // namespace fermata::linux_platform
