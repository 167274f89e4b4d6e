// A phone's background rules as data. Built-in policies are TOML files in phone/policies; anybody can write another
// one.
#pragma once

#include <chrono>
#include <fermata/result.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fermata::phone {

using Millis = std::chrono::milliseconds;

enum class AudioRule : std::uint8_t { Exempts, Ignored };     // does playing keep a program running?
enum class PlayerRule : std::uint8_t { Exempts, Ignored };    // does an MPRIS player that says "Playing"?
enum class SocketRule : std::uint8_t { Reclaim, Keep };       // are TCP sockets taken away at suspension?
enum class LockRule : std::uint8_t { Kill, Report, Ignore };  // what a file lock held at suspension leads to

// The time that tasks of one kind share.
struct BudgetRule {
  std::optional<Millis> duration{Millis(0)};  // 0: such tasks are refused; nothing: no end
  Millis early{0};                            // the real end comes up to this much earlier than the promised one
  Millis notice{0};                           // "expiring" comes this long before the real end
  Millis overrun{0};                          // a task that outlives the real end by this kills the program
  std::optional<Millis> per;                  // the time is given back so long after the first use of it
};

struct CpuRule {
  double percent = 0;  // of one processor; 0: no such rule
  Millis over{60'000};
};

// Windows in which a frozen program runs: frozen for every[i], then running for length[i]; the last one repeats.
struct MaintenanceRule {
  std::vector<Millis> every, length;  // of one size; empty: no windows
};

struct Policy {
  std::string name;
  Millis grace{5000};  // from background, or from the end of an exemption, to suspension
  AudioRule audio = AudioRule::Exempts;
  PlayerRule player = PlayerRule::Ignored;
  SocketRule sockets = SocketRule::Keep;
  LockRule locks = LockRule::Report;
  BudgetRule task;                             // tasks without a type
  std::map<std::string, BudgetRule> services;  // by type; if there is none, task names have no type
  CpuRule cpu;                                 // in the background
  MaintenanceRule maintenance;

  // The same rules with every duration multiplied; factor > 0.
  [[nodiscard]] Policy scaled(double factor) const;
};

// `name_or_path`: the name of a built-in policy ("ios", "android14", "droidian") or the path of a TOML file (anything
// with a slash or ending in .toml). Built-in policies are looked for beside the running program (policies/), in the
// installation (share/fermata/policies) and in the source tree, in this order.
// Errors: NotFound (the message lists where it looked), Malformed (with the line), InvalidArgument (a key or value that
// no policy has).
[[nodiscard]] Result<Policy> load_policy(std::string_view name_or_path);

}  // namespace fermata::phone
