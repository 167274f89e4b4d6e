// The programs that `fermata demo` starts.
#pragma once

#include <fermata/result.hpp>
#include <string>

namespace fermata::cli {

struct DemoPeerOptions {
  std::string role;  // "desk" or "phone"
  std::string directory, secret_file;
  std::string import_file;  // desk: JSON of documents with a "code" each
  std::string connect;      // phone: desk's address
  // Files or pipes by name: a phone gives its app no descriptors. Commands are lines; desk: write, rest, quit; phone:
  // watch, background-sync on|off, status, quit. Reports are JSON lines with t_ns: ready, written, failed; count,
  // delivered, status.
  std::string commands = "/dev/stdin", reports = "/dev/stdout";
};

[[nodiscard]] Result<int> run_demo_peer(const DemoPeerOptions& options);

}  // namespace fermata::cli
