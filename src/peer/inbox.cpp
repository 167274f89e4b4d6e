#include "peer/inbox.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/check.hpp"
#include "base/timer_setting.hpp"

namespace fermata {

// Deadlines are on CLOCK_BOOTTIME: they count the time that the machine slept.
Inbox::Inbox()
    : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      timer_(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)) {
  FERMATA_CHECK(wake_ >= 0 && timer_ >= 0);
}

Inbox::~Inbox() {
  ::close(wake_);
  ::close(timer_);
}

void Inbox::post(Message message) {
  const std::lock_guard lock(mutex_);
  messages_.push_back(std::move(message));
  const std::uint64_t one = 1;
  FERMATA_CHECK(::write(wake_, &one, sizeof one) == sizeof one);
}

std::deque<Inbox::Message> Inbox::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(messages_, {});
}

void Inbox::wait(std::optional<Instant> deadline) {
  const itimerspec when = timer_setting(deadline);
  FERMATA_CHECK(::timerfd_settime(timer_, 0, &when, nullptr) == 0);
  std::array<pollfd, 2> polled{pollfd{wake_, POLLIN, 0}, pollfd{timer_, POLLIN, 0}};
  while (::poll(polled.data(), polled.size(), -1) < 0 && errno == EINTR) {
  }
  std::uint64_t count = 0;
  [[maybe_unused]] const auto woken = ::read(wake_, &count, sizeof count);
}

}  // namespace fermata
