// Cleans up after a phone that cannot do it itself (SIGKILL, a crash).
#pragma once

#include <sys/types.h>

#include <functional>

#include "phone/loop.hpp"

namespace fermata::phone {

// A process beside ours that waits for our end, whatever ends us, and then runs `clean_up` on its copy of what we had
// when it was made. Destroying the warden dismisses it: we have cleaned up.
class Warden {
 public:
  explicit Warden(const std::function<void()>& clean_up);
  Warden(const Warden&) = delete;
  Warden& operator=(const Warden&) = delete;
  ~Warden();

 private:
  pid_t pid_ = -1;
  Fd alive_;  // closed by our end
};

}  // namespace fermata::phone
