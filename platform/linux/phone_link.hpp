// Our end of the phone simulator's line protocol (phone/README.md): app states, conditions and task assertions over a
// Unix stream socket. Owned and called by one thread; reports come from the link's own.
#pragma once

#include <cstdint>
#include <fermata/platform.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace fermata::linux_platform {

class PhoneLink {
 public:
  // Connects and says hello. nullptr with one line on stderr if nobody listens there.
  [[nodiscard]] static std::unique_ptr<PhoneLink> connect(const std::string& path, const PlatformEvents& events);
  ~PhoneLink();  // ends a running task; no report afterwards
  PhoneLink(const PhoneLink&) = delete;
  PhoneLink& operator=(const PhoneLink&) = delete;

  // Asks for a task assertion: Held with its length, or Refused, is reported. Harmless while one is asked for or held.
  void begin_task();
  void end_task();
  // For the state that was reported last.
  void ready();
  // None of these blocks for longer than 200 ms: a phone that does not read is hung up on.

 private:
  PhoneLink(int socket, PlatformEvents events);

  void read_lines();
  void on_line(const std::string& line);
  void on_state(const std::string& name, const std::string& time_left);
  void on_condition(const std::string& name, const std::string& value);
  void on_task(const std::string& verdict, const std::string& name, const std::string& time_left);
  void on_hangup();
  bool send_line(const std::string& line);

  const int socket_;
  const PlatformEvents events_;
  // Also held while reporting: on a task, so that end_task() means silence; on a state, so that ready() counts it only
  // once it is reported.
  std::mutex mutex_;
  std::string task_;  // the name of the one asked for or held
  std::uint64_t tasks_begun_ = 0;
  std::uint64_t states_heard_ = 0;  // lines; the phone knows by it which one a `ready` answers
  Conditions conditions_;           // the link thread's own
  bool closing_ = false;
  std::thread reader_;
};

}  // namespace fermata::linux_platform
