// A phone's background rules as data. Built-in policies are TOML files in phone/policies; anybody can write another
// one.
#pragma once

#include <chrono>
#include <fermata/result.hpp>
#include <string>
#include <string_view>

namespace fermata::phone {

using Millis = std::chrono::milliseconds;

enum class AudioRule : std::uint8_t { Exempts, Ignored };     // does playing keep a program running?
enum class SocketRule : std::uint8_t { Reclaim, Keep };       // are TCP sockets taken away at suspension?
enum class LockRule : std::uint8_t { Kill, Report, Ignore };  // what a file lock held at suspension leads to

struct Policy {
  std::string name;
  Millis grace{5000};       // from background, or from the end of an exemption, to suspension
  Millis task_duration{0};  // budget of task assertions; 0: tasks are refused
  Millis task_notice{0};    // "expiring" comes this long before the end of the budget
  Millis task_overrun{0};   // a task that outlives the budget by this kills the program
  AudioRule audio = AudioRule::Exempts;
  SocketRule sockets = SocketRule::Keep;
  LockRule locks = LockRule::Report;

  // The same rules with every duration multiplied; factor > 0.
  [[nodiscard]] Policy scaled(double factor) const;
};

// `name_or_path`: the name of a built-in policy ("ios", "android", "linux") or the path of a TOML file (anything with a
// slash or ending in .toml). Built-in policies are looked for beside the running program (policies/), in the
// installation (share/fermata/policies) and in the source tree, in this order.
// Errors: NotFound (the message lists where it looked), Malformed (with the line), InvalidArgument (a key or value that
// no policy has).
[[nodiscard]] Result<Policy> load_policy(std::string_view name_or_path);

}  // namespace fermata::phone
