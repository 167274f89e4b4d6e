// The exit codes of `fermata`: the one list, which --help prints. Numbers are stable; a new error code gets a new one.
#pragma once

#include <fermata/result.hpp>
#include <string>

namespace fermata::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;  // the operation failed for a reason that has no number of its own
inline constexpr int kExitUsage = 2;   // the command line itself

[[nodiscard]] int exit_code(ErrorCode code);
// The list as text for --help, a line for each.
[[nodiscard]] std::string exit_code_help();

}  // namespace fermata::cli
