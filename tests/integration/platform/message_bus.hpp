// A private message bus. Services on it are mocks. Without one this process finds no bus at all, whatever the machine
// has.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "integration/platform/child.hpp"

namespace fermata {

class MessageBus {
 public:
  // "DBUS_SESSION_BUS_ADDRESS" or "DBUS_SYSTEM_BUS_ADDRESS": names the bus while it lives. In `folder`, or one of its
  // own.
  explicit MessageBus(std::string variable, const std::string& folder = {});
  ~MessageBus();
  MessageBus(const MessageBus&) = delete;
  MessageBus& operator=(const MessageBus&) = delete;

  void start();  // returns once it listens
  void kill();
  [[nodiscard]] const std::string& address() const { return address_; }

  // A mock of python3-dbusmock, owning `name` when the call returns: from a template of it, or an empty object.
  [[nodiscard]] std::unique_ptr<Child> mock_template(const std::string& name, const std::string& of) const;
  [[nodiscard]] std::unique_ptr<Child> mock(const std::string& name, const std::string& path,
                                            const std::string& interface) const;
  // What gdbus prints; "" if the call failed. `call` is "INTERFACE.METHOD ARGUMENTS", quoted for a shell.
  std::string ask(const std::string& name, const std::string& path, const std::string& call) const;
  [[nodiscard]] bool await_answer(const std::string& name, const std::string& path, const std::string& call,
                                  const std::string& containing) const;
  [[nodiscard]] bool await_absence(const std::string& name) const;
  [[nodiscard]] std::string log() const;

 private:
  [[nodiscard]] std::unique_ptr<Child> start_mock(std::vector<std::string> arguments, const std::string& name) const;
  [[nodiscard]] bool has(const std::string& name) const;

  const std::string variable_;
  ScratchDirectory own_folder_;
  std::string folder_, address_;
  std::unique_ptr<Child> daemon_;
};

[[nodiscard]] int threads_of_this_process();
[[nodiscard]] int descriptors_of_this_process();

}  // namespace fermata
