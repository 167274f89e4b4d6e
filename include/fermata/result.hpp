// Errors as values. Every call of Fermata that can fail returns Result<T>; the library throws nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace fermata {

// The whole list; a new code is a decision. `exit_code()` of the command line follows it.
enum class ErrorCode : std::uint8_t {
  InvalidArgument,  // the caller passed something that can never work
  Syntax,           // a statement that does not parse; the message carries a caret
  NotFound,         // a file, a directory, a document that had to exist
  AlreadyExists,    // an id or a directory that must not exist yet
  TypeMismatch,     // a value of another type than the operation needs
  LimitExceeded,    // too large, too deep, too many
  Malformed,        // bytes from a peer, a disk or a file that do not decode
  VersionMismatch,  // a database or a peer of a newer format
  Corrupt,          // a database whose content contradicts itself
  Busy,             // another process or a port is in the way
  Closed,           // the object was stopped, closed or quiesced
  NoSpace,          // disk or quota full
  Io,               // any other failure of the operating system
  Unauthorized,     // a peer that is not of our group
  Protocol,         // a peer that decodes but breaks the rules
  Timeout,          // a deadline passed
  Unsupported,      // this build or this platform cannot
};

// The code's name as written in logs and JSON, for example "not_found".
[[nodiscard]] std::string_view name_of(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::Io;
  std::string message;  // what happened, to what, what to do; one line, except a syntax error's caret
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace fermata
