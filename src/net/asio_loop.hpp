// The loop of production, and what the transport needs of it beyond Loop. Asio itself stays in asio_loop.cpp.
#pragma once

#include <memory>
#include <utility>

#include "base/loop.hpp"

namespace fermata::net {

// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();

  [[nodiscard]] int value() const { return fd_; }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

// Posts to a loop that may already be gone. Thread-safe.
class Mailbox {
 public:
  virtual ~Mailbox() = default;
  // The task is dropped if the loop is gone.
  virtual void post(Loop::Task task) = 0;
};

class AsioLoop final : public Loop {
 public:
  AsioLoop();
  ~AsioLoop() override;

  void post(Task task) override;
  TimerId call_at(Instant when, Task task) override;
  void cancel(TimerId timer) override;
  [[nodiscard]] Instant now() override;

  void run();
  void stop();
  [[nodiscard]] std::shared_ptr<Mailbox> mailbox();

  struct Impl;
  [[nodiscard]] Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// A descriptor on the loop. One waiting task per direction; each runs once, in a later turn, when a system call on the
// descriptor would not block (or would fail). Destroying the watch closes the descriptor and drops the tasks. Loop
// thread only.
class FdWatch {
 public:
  FdWatch(AsioLoop& loop, Fd fd);
  ~FdWatch();

  [[nodiscard]] int fd() const;
  // Hands the descriptor over; the watch is of no more use.
  [[nodiscard]] Fd take();
  void when_readable(Loop::Task task);
  void when_writable(Loop::Task task);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// One deadline that its owner holds: setting it again replaces it, destroying it cancels it. Loop thread only.
class Timer {
 public:
  explicit Timer(Loop& loop) : loop_(loop) {}
  ~Timer() { cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void set(Duration from_now, Loop::Task task) {
    cancel();
    id_ = loop_.call_at(loop_.now() + from_now, std::move(task));
  }
  void cancel() { loop_.cancel(std::exchange(id_, 0)); }

 private:
  Loop& loop_;
  Loop::TimerId id_ = 0;
};

}  // namespace fermata::net
