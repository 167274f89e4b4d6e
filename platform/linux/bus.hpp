// A connection to a message bus, and the thread that serves it. It sleeps until there is a message; it polls nothing.
// Everything that is made on the connection lives and is called on that thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace sdbus {
class IConnection;
}

namespace fermata::linux_platform {

class Bus {
 public:
  enum class Kind : std::uint8_t { System, Session };
  // Makes what is to be served, on the bus's thread; that is destroyed there too, before the connection. Empty: there
  // is nothing to serve, the connection is closed. May throw sdbus::Error.
  using Setup = std::function<std::shared_ptr<void>(sdbus::IConnection&)>;

  // nullptr, without a word, where there is no such bus. `on_gone`: the setup failed, or the bus hung up; called on the
  // bus's thread as its last act.
  [[nodiscard]] static std::unique_ptr<Bus> open(Kind kind, Setup setup, std::function<void()> on_gone);
  ~Bus();  // ends the thread and hangs up; nothing is called afterwards
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

 private:
  Bus(std::unique_ptr<sdbus::IConnection> connection, Setup setup, std::function<void()> on_gone);
  void serve();

  const Setup setup_;
  const std::function<void()> on_gone_;
  std::mutex mutex_;
  std::unique_ptr<sdbus::IConnection> connection_;  // replaced under the mutex, used by the thread
  bool leaving_ = false;
  std::thread thread_;
};

}  // namespace fermata::linux_platform
