// The seam of the one loop thread on which everything networked lives. Implemented on Asio in net/, and by the
// simulator.
#pragma once

#include <functional>

#include "base/time.hpp"

namespace fermata {

class Loop {
 public:
  using Task = std::function<void()>;
  // 0 is never a valid id.
  using TimerId = std::uint64_t;

  virtual ~Loop() = default;

  // Runs the task on the loop thread, after the call returns. Thread-safe.
  virtual void post(Task task) = 0;
  // Runs the task once, at or after `when`. Loop thread only.
  virtual TimerId call_at(Instant when, Task task) = 0;
  // The task will not run. Harmless on an id that already ran. Loop thread only.
  virtual void cancel(TimerId timer) = 0;
  // Time, frozen for the length of one loop turn. Loop thread only.
  [[nodiscard]] virtual Instant now() = 0;
};

}  // namespace fermata
