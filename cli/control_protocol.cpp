#include "cli/control_protocol.hpp"

namespace fermata::cli {
namespace {

template <class T>
const T* member(const Map& object, std::string_view key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : found->second.if_a<T>();
}

// A server newer than this client may know codes that we do not: then the message alone has to do.
ErrorCode code_named(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::Unsupported); ++i) {
    if (name_of(static_cast<ErrorCode>(i)) == name) return static_cast<ErrorCode>(i);
  }
  return ErrorCode::Io;
}

}  // namespace

std::string hello_line() {
  return to_json(Map{{"fermata", "control"}, {"version", kControlVersion}});
}

std::string error_line(const Error& error) {
  return object_line("error", Map{{"code", name_of(error.code)}, {"message", error.message}});
}

std::string object_line(std::string_view key, Value value) {
  Map object;
  object.emplace(key, std::move(value));
  return to_json(object);
}

Result<Map> parse_line(std::string_view line) {
  constexpr unsigned kAroundDocument = 2;  // {"change":{"document":…}}
  auto value = from_json(line, kAroundDocument);
  if (!value) return fail(value.error().code, "a line on the control socket is not JSON: " + value.error().message);
  Map* object = value->if_a<Map>();
  if (object == nullptr) return fail(ErrorCode::Malformed, "a line on the control socket is not a JSON object");
  if (const Map* error = map_of(*object, "error")) {
    const std::string* code = text_of(*error, "code");
    const std::string* message = text_of(*error, "message");
    return fail(code ? code_named(*code) : ErrorCode::Io, message ? *message : "the server reports an error");
  }
  return std::move(*object);
}

const std::string* text_of(const Map& object, std::string_view key) {
  return member<std::string>(object, key);
}

const Map* map_of(const Map& object, std::string_view key) {
  return member<Map>(object, key);
}

}  // namespace fermata::cli
