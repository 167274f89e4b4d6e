// The wall clock of the program, which a script can move: libfaketime, loaded into the program before everything else.
// Monotonic and boot-time clocks, and timers on them, stay as they are.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <fermata/result.hpp>
#include <string>
#include <utility>
#include <vector>

namespace fermata::phone {

class FakeClock {
 public:
  // `folder`: for the file that libfaketime reads the time from. Errors: NotFound, when there is no libfaketime; Io.
  [[nodiscard]] static Result<FakeClock> make(const std::string& folder);

  // For the program's environment.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> environment() const;
  // From now on the program sees the time moved by this, on top of earlier jumps. Errors: Io.
  [[nodiscard]] Status jump(std::chrono::milliseconds by);
  // Removes the shared memory that libfaketime leaves behind when the process that it was loaded into is killed.
  static void forget(pid_t pid);

 private:
  FakeClock(std::string library, std::string file) : library_(std::move(library)), file_(std::move(file)) {}
  [[nodiscard]] Status write() const;

  std::string library_;
  std::string file_;
  std::chrono::milliseconds offset_{0};
};

}  // namespace fermata::phone
