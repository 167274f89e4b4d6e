// Suspends and resumes a program with all its descendants, by the best means that this machine really offers.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <fermata/result.hpp>
#include <memory>
#include <string_view>
#include <vector>

namespace fermata::phone {

// Destroying a freezer resumes, kills what is left of the program and removes what was created for it.
class Freezer {
 public:
  virtual ~Freezer() = default;

  // Takes in a child that has not run its command yet, a session leader. Tries cgroup v2 and the v1 freezer wherever
  // they are mounted, by freezing the waiting child and resuming it; what passes is used, else signals, which always
  // work.
  [[nodiscard]] static std::unique_ptr<Freezer> take(pid_t child);
  // By this means, or none.
  enum class Means : std::uint8_t { CgroupV2, CgroupV1, Signals };
  [[nodiscard]] static std::unique_ptr<Freezer> take(pid_t child, Means means);

  // Kills and removes what the freezers of a process that has died have left.
  static void clean_up_after(pid_t phone);

  // Returns once the kernel says that every process is frozen. Errors: Timeout.
  [[nodiscard]] virtual Status freeze() = 0;
  virtual void thaw() = 0;
  [[nodiscard]] virtual std::vector<pid_t> pids() const = 0;
  [[nodiscard]] virtual std::string_view means() const = 0;  // "cgroup v2 freezer", "cgroup v1 freezer", "SIGSTOP"
  // Processor time of all that ran in it so far; processes that ended unobserved may be missing without cgroup v2.
  [[nodiscard]] virtual std::chrono::nanoseconds cpu_used() const;
  // What is left of the program is gone afterwards; bounded to a few seconds.
  void kill_all();

 protected:
  // Blocks until something may have changed, shortly.
  virtual void await_change(int limit_ms) = 0;
};

}  // namespace fermata::phone
