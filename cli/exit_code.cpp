#include "cli/exit_code.hpp"

#include <fmt/core.h>

namespace fermata::cli {
namespace {

struct Entry {
  ErrorCode code;
  int exit;
  std::string_view words;
};

constexpr Entry kEntries[] = {
    {ErrorCode::Io, kExitFailed, "the operation failed"},
    {ErrorCode::Syntax, 3, "a statement does not parse"},
    {ErrorCode::InvalidArgument, 4, "an argument can never work"},
    {ErrorCode::NotFound, 5, "a file or directory is missing"},
    {ErrorCode::AlreadyExists, 6, "an id or a directory exists already"},
    {ErrorCode::TypeMismatch, 7, "a value has another type than needed"},
    {ErrorCode::LimitExceeded, 8, "too large, too deep or too many"},
    {ErrorCode::Malformed, 9, "input does not decode"},
    {ErrorCode::VersionMismatch, 10, "a database of a newer format"},
    {ErrorCode::Corrupt, 11, "a database contradicts itself, or is none"},
    {ErrorCode::Busy, 12, "another process or a port is in the way"},
    {ErrorCode::Closed, 13, "the other side ended"},
    {ErrorCode::NoSpace, 14, "disk or quota full"},
    {ErrorCode::Unauthorized, 15, "not of our group"},
    {ErrorCode::Protocol, 16, "the other side broke the rules"},
    {ErrorCode::Timeout, 17, "no answer in time"},
    {ErrorCode::Unsupported, 18, "this build or platform cannot"},
};

}  // namespace

int exit_code(ErrorCode code) {
  for (const Entry& entry : kEntries) {
    if (entry.code == code) return entry.exit;
  }
  return kExitFailed;
}

std::string exit_code_help() {
  std::string text = "Exit codes:\n   0  done\n   2  the command line is wrong\n";
  for (const Entry& entry : kEntries) text += fmt::format("  {:2}  {}\n", entry.exit, entry.words);
  return text;
}

}  // namespace fermata::cli
