// Keeps the machine from sleeping before our sync is paused: a delay inhibitor of logind, held while the machine is
// awake, let go once we are ready, taken again when it wakes.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>

namespace sdbus {
class IConnection;
class UnixFd;
}  // namespace sdbus

namespace fermata::linux_platform {

class SleepInhibitor {
 public:
  // Both are called on the bus's thread and must not block. `time_left`: how long logind waits for us at most.
  SleepInhibitor(std::function<void(std::chrono::milliseconds time_left)> on_sleep, std::function<void()> on_wake);
  ~SleepInhibitor();  // lets go
  SleepInhibitor(const SleepInhibitor&) = delete;
  SleepInhibitor& operator=(const SleepInhibitor&) = delete;

  // For the system bus: what follows logind, on the bus's thread. This object must outlive it.
  [[nodiscard]] std::shared_ptr<void> serve(sdbus::IConnection& bus);
  // Any thread. While the machine is about to sleep: it may. Otherwise nothing.
  void ready();
  // The bus is gone, on its thread: nobody tells of the machine's sleep any more. Lets go; a sleep under way is over
  // for us.
  void bus_gone();

 private:
  struct Logind;

  void prepare(Logind& logind);
  void wake(Logind& logind);
  void take(Logind& logind);

  const std::function<void(std::chrono::milliseconds)> on_sleep_;
  const std::function<void()> on_wake_;
  std::chrono::milliseconds delay_;  // the bus's thread's
  std::mutex mutex_;
  bool about_to_sleep_ = false;
  std::unique_ptr<sdbus::UnixFd> inhibitor_;
};

}  // namespace fermata::linux_platform
