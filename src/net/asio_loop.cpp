#include "net/asio_loop.hpp"

#define ASIO_STANDALONE
#define ASIO_NO_DEPRECATED
// Handlers run on the one loop thread and are handed over under a mutex; ThreadSanitizer does not know fences.
#define ASIO_DISABLE_FENCED_BLOCK
#include <sys/timerfd.h>
#include <unistd.h>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "base/check.hpp"
#include "base/timer_setting.hpp"
#include "net/tls_transport.hpp"

namespace fermata::net {
namespace {

class LoopMailbox final : public Mailbox {
 public:
  explicit LoopMailbox(asio::io_context& context) : context_(&context) {}

  void post(Loop::Task task) override {
    const std::scoped_lock lock(mutex_);
    if (context_ != nullptr) asio::post(*context_, std::move(task));
  }
  void close() {
    const std::scoped_lock lock(mutex_);
    context_ = nullptr;
  }

 private:
  std::mutex mutex_;
  asio::io_context* context_;
};

int make_timer_fd() {
  const int fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  FERMATA_CHECK(fd >= 0);
  return fd;
}

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

struct AsioLoop::Impl {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  // The one timer of the process that wakes the loop: the earliest deadline, on the clock that counts suspension.
  asio::posix::stream_descriptor timer_fd{context, make_timer_fd()};
  std::shared_ptr<LoopMailbox> mailbox = std::make_shared<LoopMailbox>(context);

  std::map<std::pair<Instant, TimerId>, Task> timers;
  std::unordered_map<TimerId, Instant> deadlines;
  TimerId last_timer = 0;
  std::optional<Instant> armed;
  std::optional<Instant> frozen_now;
  bool running = false;

  void wait_for_timer() {
    timer_fd.async_wait(asio::posix::stream_descriptor::wait_read, [this](const asio::error_code& error) {
      if (error) return;
      std::uint64_t expirations = 0;
      static_cast<void>(::read(timer_fd.native_handle(), &expirations, sizeof expirations));
      armed.reset();
      wait_for_timer();
      run_due();
    });
  }

  // Timers made by the tasks that run here wait for the next turn, however early they are due.
  void run_due() {
    const Instant due = now();
    const TimerId newest = last_timer;
    while (!timers.empty()) {
      auto first = timers.begin();
      while (first != timers.end() && first->first.first <= due && first->first.second > newest) ++first;
      if (first == timers.end() || first->first.first > due) return;
      const Task task = std::move(first->second);
      deadlines.erase(first->first.second);
      timers.erase(first);
      task();
    }
  }

  // Once per turn, so that deadlines which come and go within a turn cost no system call.
  void arm() {
    std::optional<Instant> earliest;
    if (!timers.empty()) earliest = timers.begin()->first.first;
    if (earliest == armed) return;
    armed = earliest;
    const itimerspec setting = timer_setting(earliest);
    FERMATA_CHECK(timerfd_settime(timer_fd.native_handle(), 0, &setting, nullptr) == 0);
  }

  Instant now() {
    if (!running) return system_clock().now();
    if (!frozen_now) frozen_now = system_clock().now();
    return *frozen_now;
  }
};

AsioLoop::AsioLoop() : impl_(std::make_unique<Impl>()) {
  impl_->wait_for_timer();
}

AsioLoop::~AsioLoop() {
  impl_->mailbox->close();
}

void AsioLoop::post(Task task) {
  asio::post(impl_->context, std::move(task));
}

Loop::TimerId AsioLoop::call_at(Instant when, Task task) {
  const TimerId id = ++impl_->last_timer;
  impl_->timers.emplace(std::pair(when, id), std::move(task));
  impl_->deadlines.emplace(id, when);
  return id;
}

void AsioLoop::cancel(TimerId timer) {
  const auto found = impl_->deadlines.find(timer);
  if (found == impl_->deadlines.end()) return;
  const auto node = impl_->timers.extract({found->second, timer});
  impl_->deadlines.erase(found);
}

Instant AsioLoop::now() {
  return impl_->now();
}

void AsioLoop::run() {
  impl_->running = true;
  while (!impl_->context.stopped()) {
    impl_->arm();
    impl_->frozen_now.reset();
    impl_->context.run_one();
  }
  impl_->running = false;
  impl_->context.restart();
}

void AsioLoop::stop() {
  impl_->context.stop();
}

std::shared_ptr<Mailbox> AsioLoop::mailbox() {
  return impl_->mailbox;
}

struct FdWatch::Impl : std::enable_shared_from_this<FdWatch::Impl> {
  // A descriptor that cannot be watched is closed; its tasks then run at once and meet EBADF.
  Impl(AsioLoop& loop, Fd fd) : descriptor(loop.impl().context) {
    asio::error_code error;
    descriptor.assign(fd.value(), error);
    if (!error) static_cast<void>(fd.release());
  }

  asio::posix::stream_descriptor descriptor;
  Loop::Task readable, writable;

  void wait(asio::posix::stream_descriptor::wait_type what, Loop::Task Impl::*slot) {
    descriptor.async_wait(what, [weak = weak_from_this(), slot](const asio::error_code& error) {
      const auto self = weak.lock();
      if (!self || error == asio::error::operation_aborted) return;
      if (const Loop::Task task = std::exchange((*self).*slot, nullptr)) task();
    });
  }
};

FdWatch::FdWatch(AsioLoop& loop, Fd fd) : impl_(std::make_shared<Impl>(loop, std::move(fd))) {}

FdWatch::~FdWatch() {
  // At once, even if a task of ours is running: whoever reopens a port in the same turn must find it free.
  asio::error_code ignored;
  impl_->descriptor.close(ignored);
  impl_->readable = nullptr;
  impl_->writable = nullptr;
}

int FdWatch::fd() const {
  return impl_->descriptor.is_open() ? impl_->descriptor.native_handle() : -1;
}

Fd FdWatch::take() {
  return impl_->descriptor.is_open() ? Fd(impl_->descriptor.release()) : Fd();
}

void FdWatch::when_readable(Loop::Task task) {
  const bool waiting = impl_->readable != nullptr;
  impl_->readable = std::move(task);
  if (!waiting) impl_->wait(asio::posix::stream_descriptor::wait_read, &Impl::readable);
}

void FdWatch::when_writable(Loop::Task task) {
  const bool waiting = impl_->writable != nullptr;
  impl_->writable = std::move(task);
  if (!waiting) impl_->wait(asio::posix::stream_descriptor::wait_write, &Impl::writable);
}

std::unique_ptr<Loop> make_asio_loop() {
  return std::make_unique<AsioLoop>();
}

void run(Loop& loop) {
  static_cast<AsioLoop&>(loop).run();
}

void stop(Loop& loop) {
  static_cast<AsioLoop&>(loop).stop();
}

}  // namespace fermata::net
