// Runs the phone in a process of its own, as `fermata phone` does, and keeps what it reported.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "phone/phone.hpp"

namespace fermata::phone {

// The program that speaks the protocol as it is told to.
inline const std::string kApp = PHONE_TEST_APP;

struct Seen {
  std::int64_t t_ns = 0;
  std::string name;
  std::string json;  // the whole line
};

class PhoneRun {
 public:
  // `script`: its text. The policy's durations are those of `policy`, unscaled.
  enum class Script : std::uint8_t { File, StandardInput };
  PhoneRun(const Policy& policy, const std::string& script, std::vector<std::string> program,
           Script from = Script::File);
  PhoneRun(const PhoneRun&) = delete;
  PhoneRun& operator=(const PhoneRun&) = delete;
  ~PhoneRun();

  int wait();                     // for its end; the exit code, -1 after 30 s
  void signal(int number) const;  // to the phone itself
  [[nodiscard]] std::vector<Seen> events() const;
  // The first event with this name, at or after `from`; waits for it, nothing after 20 s.
  [[nodiscard]] std::optional<Seen> event(const std::string& name, std::int64_t from = 0) const;
  [[nodiscard]] bool tidied() const;  // waits until the phone's temporary folder is gone; false after 20 s
  // Of the given name, in the run's folder; --json and --svg are json and svg.
  [[nodiscard]] std::string file(const std::string& name) const;
  [[nodiscard]] int count(const std::string& name) const;
  [[nodiscard]] std::string said() const;    // what the program wrote
  [[nodiscard]] std::string report() const;  // everything, for a failure
  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  std::string folder_;
  pid_t pid_ = -1;
  std::optional<int> code_;
};

// The iOS policy with durations for tests: grace 300 ms, task 1200 ms with notice 400 ms, overrun 200 ms.
[[nodiscard]] Policy quick_ios();
[[nodiscard]] std::int64_t number_in(const std::string& json, const std::string& key);
[[nodiscard]] std::string text_in(const std::string& json, const std::string& key);
[[nodiscard]] std::string contents_of(const std::string& path);

}  // namespace fermata::phone
