// The phone simulator: runs any program under a phone's background rules, with real parts. See phone/README.md.
//
//   auto policy = phone::load_policy("ios");
//   auto code = phone::run_phone({.policy = *policy, .script_path = "day.phone", .program = {"my-app", "--flag"}});
#pragma once

#include <cstdint>
#include <fermata/result.hpp>
#include <optional>
#include <string>
#include <vector>

#include "phone/policy.hpp"

namespace fermata::phone {

struct PhoneOptions {
  Policy policy;
  std::string script_path;           // "-": standard input, each line as it arrives; empty: the app stays in front
  std::vector<std::string> program;  // looked for in PATH; its standard input is empty
  std::optional<std::string> events_path;  // JSON lines, replaced if it exists
  double time_scale = 1;                   // multiplies the policy's durations (not the script's), 0.001 to 1000
  std::optional<std::uint64_t> seed;  // of what the policy leaves to chance, below 2^63; none: a random one, reported
  bool clock = false;                 // the script, on standard input, may move the program's clock
  std::string pulse_server;           // as in PULSE_SERVER; empty: a private one, started and ended with the phone
  std::optional<std::string> json_path;  // the whole run as one JSON document, written at its end
  std::optional<std::string> svg_path;   // and as a picture
  bool timeline = false;  // and in characters on stderr; that is also done if stderr is a terminal, unless quiet
  bool quiet = false;     // nothing on stderr but a failed expectation
};

// Runs the program to its end and returns its exit code as a shell would say it (128 + signal when one ended it). Apart
// from that: 0 when the script's `quit` ended it with SIGTERM, or its `kill` with SIGKILL; 1 when the script failed or
// the program could not be suspended; 137 when the phone's rules killed it; 128 + signal when SIGINT, SIGTERM or SIGHUP
// ended the phone.
//
// Whatever happens, nothing is left behind: every process that the program started is ended, and its cgroup, the audio
// server, the session bus and the temporary folder are gone.
//
// Blocks. For its duration it blocks those signals in the calling thread, ignores SIGPIPE in the process and sets
// PULSE_COOKIE and PULSE_RUNTIME_PATH now and then; so it wants to be the main thing that a process does. The processes
// it starts die with the calling thread.
//
// A signal that comes before the program runs leaves json_path and svg_path as they are.
//
// Errors: InvalidArgument, NotFound (script, program, a real part that is not installed), Syntax (script), Io, Timeout
// (the audio server or the session bus does not answer).
[[nodiscard]] Result<int> run_phone(const PhoneOptions& options);

}  // namespace fermata::phone
