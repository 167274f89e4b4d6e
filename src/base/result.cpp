#include <fermata/result.hpp>

namespace fermata {

std::string_view name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::InvalidArgument:
      return "invalid_argument";
    case ErrorCode::Syntax:
      return "syntax";
    case ErrorCode::NotFound:
      return "not_found";
    case ErrorCode::AlreadyExists:
      return "already_exists";
    case ErrorCode::TypeMismatch:
      return "type_mismatch";
    case ErrorCode::LimitExceeded:
      return "limit_exceeded";
    case ErrorCode::Malformed:
      return "malformed";
    case ErrorCode::VersionMismatch:
      return "version_mismatch";
    case ErrorCode::Corrupt:
      return "corrupt";
    case ErrorCode::Busy:
      return "busy";
    case ErrorCode::Closed:
      return "closed";
    case ErrorCode::NoSpace:
      return "no_space";
    case ErrorCode::Io:
      return "io";
    case ErrorCode::Unauthorized:
      return "unauthorized";
    case ErrorCode::Protocol:
      return "protocol";
    case ErrorCode::Timeout:
      return "timeout";
    case ErrorCode::Unsupported:
      return "unsupported";
  }
  return "unknown";
}

}  // namespace fermata
