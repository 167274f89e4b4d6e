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
  int command_fd = 0;       // lines: desk: write, rest, quit; phone: watch, background-sync on|off, status, quit
  int report_fd = 1;        // JSON lines with t_ns: ready, written, failed; count, delivered, status
};

[[nodiscard]] Result<int> run_demo_peer(const DemoPeerOptions& options);

}  // namespace fermata::cli
