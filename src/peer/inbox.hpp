// The keeper thread's mail. Any thread posts, one thread waits and takes. Outlives the thread for those who still hold
// it: platforms and participants.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <optional>

#include "base/time.hpp"

namespace fermata {

class Inbox {
 public:
  using Message = std::function<void()>;

  Inbox();
  ~Inbox();
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  void post(Message message);
  [[nodiscard]] std::deque<Message> take();
  // Sleeps until there is mail or the deadline is reached. Without either it costs no wakeup.
  void wait(std::optional<Instant> deadline);

 private:
  int wake_;
  int timer_;
  std::mutex mutex_;
  std::deque<Message> messages_;
};

}  // namespace fermata
