// A process that a test started and ends itself.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace fermata {

class Child {
 public:
  // stdout and stderr go to `log` ("" for /dev/null).
  Child(std::vector<std::string> arguments, std::vector<std::string> environment, const std::string& log);
  ~Child() { kill_and_wait(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void kill_and_wait();
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

// Runs to its end; what it wrote to stdout.
std::string output_of(const std::string& command);

// A directory that is removed with its owner.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace fermata
