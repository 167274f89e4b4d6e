// SIGINT, SIGTERM and SIGHUP as a readable file descriptor, so that long verbs end cleanly.
#pragma once

#include <fermata/result.hpp>

namespace fermata::cli {

// Make it before any thread: the signals are blocked in this thread and in those it starts. The destructor gives the
// signals their old effect back.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Readable once one of the signals arrived. -1 if the system refused.
  [[nodiscard]] int fd() const { return fd_; }
  // Blocks until one arrives.
  void wait() const;

 private:
  int fd_;
};

}  // namespace fermata::cli
