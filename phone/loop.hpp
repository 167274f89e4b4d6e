// The phone's one event loop: libpulse's own poll() loop, with file descriptors and CLOCK_BOOTTIME timers added to it.
// Everything of the phone runs on the thread that calls run().
#pragma once

#include <pulse/mainloop.h>

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

namespace fermata::phone {

// Owns a file descriptor; -1 is none.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { reset(); }

  void reset();
  [[nodiscard]] int value() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

class Loop {
 public:
  using Callback = std::function<void()>;
  using Instant = std::chrono::nanoseconds;  // since boot, suspend included

  Loop() : mainloop_(pa_mainloop_new()) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() { pa_mainloop_free(mainloop_); }

  // The callback runs while `fd` is readable or at its end, until the watch is destroyed; it may destroy its own watch.
  class Watch;
  [[nodiscard]] std::unique_ptr<Watch> watch(int fd, Callback on_readable);

  // One shot; arming again replaces. Its callback may destroy it.
  class Timer;
  [[nodiscard]] std::unique_ptr<Timer> timer(Callback on_time);

  // Runs until `done` is true (looked at after every turn) or `deadline`; false: the deadline came first.
  bool run_until(const std::function<bool()>& done);
  bool run_until(const std::function<bool()>& done, Instant deadline);

  [[nodiscard]] static Instant now();  // CLOCK_BOOTTIME
  [[nodiscard]] pa_mainloop_api* pulse_api() { return pa_mainloop_get_api(mainloop_); }

 private:
  pa_mainloop* mainloop_;
};

class Loop::Watch {
 public:
  Watch(pa_mainloop_api* api, int fd, Callback on_readable);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() { api_->io_free(event_); }

 private:
  pa_mainloop_api* api_;
  pa_io_event* event_;
  std::shared_ptr<Callback> callback_;  // shared: it survives a callback that destroys the watch
};

class Loop::Timer {
 public:
  Timer(Loop& loop, Callback on_time);
  void arm(Instant when);
  void disarm();

 private:
  Fd fd_;
  std::unique_ptr<Watch> watch_;
};

}  // namespace fermata::phone
