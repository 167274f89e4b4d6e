#include "phone/loop.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <ctime>

namespace fermata::phone {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Fd::reset() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

Loop::Watch::Watch(pa_mainloop_api* api, int fd, Callback on_readable)
    : api_(api), event_(nullptr), callback_(std::make_shared<Callback>(std::move(on_readable))) {
  const auto on_io = [](pa_mainloop_api*, pa_io_event*, int, pa_io_event_flags_t, void* self) {
    const std::shared_ptr<Callback> callback = static_cast<Watch*>(self)->callback_;
    (*callback)();
  };
  event_ = api_->io_new(api_, fd, PA_IO_EVENT_INPUT, on_io, this);
}

Loop::Timer::Timer(Loop& loop, Callback on_time)
    : fd_(timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC)),
      watch_(loop.watch(fd_.value(), [fd = fd_.value(), on_time = std::move(on_time)] {
        std::uint64_t expirations = 0;
        if (read(fd, &expirations, sizeof expirations) == sizeof expirations) on_time();
      })) {}

void Loop::Timer::arm(Instant when) {
  // An all-zero value would disarm the timer.
  const std::int64_t ns = std::max<std::int64_t>(1, when.count());
  itimerspec spec{};
  spec.it_value.tv_sec = static_cast<std::time_t>(ns / 1'000'000'000);
  spec.it_value.tv_nsec = static_cast<long>(ns % 1'000'000'000);
  timerfd_settime(fd_.value(), TFD_TIMER_ABSTIME, &spec, nullptr);
}

void Loop::Timer::disarm() {
  const itimerspec none{};
  timerfd_settime(fd_.value(), 0, &none, nullptr);
}

std::unique_ptr<Loop::Watch> Loop::watch(int fd, Callback on_readable) {
  return std::make_unique<Watch>(pulse_api(), fd, std::move(on_readable));
}

std::unique_ptr<Loop::Timer> Loop::timer(Callback on_time) {
  return std::make_unique<Timer>(*this, std::move(on_time));
}

bool Loop::run_until(const std::function<bool()>& done) {
  while (!done()) {
    if (pa_mainloop_iterate(mainloop_, 1, nullptr) < 0) return false;
  }
  return true;
}

bool Loop::run_until(const std::function<bool()>& done, Instant deadline) {
  bool late = false;
  const auto alarm = timer([&late] { late = true; });
  alarm->arm(deadline);
  run_until([&] { return late || done(); });
  return done();
}

Loop::Instant Loop::now() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace fermata::phone
