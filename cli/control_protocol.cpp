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

constexpr unsigned kAroundDocument = 2;  // {"change":{"document":…}}

Error not_json(const Error& error) {
  return {error.code, "a line on the control socket is not JSON: " + error.message};
}

std::optional<Error> error_in(const Map& object) {
  const Map* error = map_of(object, "error");
  if (error == nullptr) return std::nullopt;
  const std::string* code = text_of(*error, "code");
  const std::string* message = text_of(*error, "message");
  return Error{code ? code_named(*code) : ErrorCode::Io, message ? *message : "the server reports an error"};
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

std::string record_line(const DocumentRecord& record) {
  return R"({"document":)" + to_json(record) + '}';
}

Result<Map> parse_line(std::string_view line) {
  auto value = from_json(line, kAroundDocument);
  if (!value) return fail(not_json(value.error()));
  Map* object = value->if_a<Map>();
  if (object == nullptr) return fail(ErrorCode::Malformed, "a line on the control socket is not a JSON object");
  if (auto error = error_in(*object)) return fail(std::move(*error));
  return std::move(*object);
}

Result<RecordMessage> parse_record_line(std::string_view line) {
  auto parsed = record_from_json(line, kAroundDocument);
  if (!parsed) return fail(not_json(parsed.error()));
  if (auto error = error_in(parsed->fields)) return fail(std::move(*error));
  const auto document = parsed->fields.find("document");
  Map* fields = document == parsed->fields.end() ? nullptr : document->second.if_a<Map>();
  if (fields == nullptr) return RecordMessage{.record = std::nullopt, .other = std::move(parsed->fields)};
  DocumentRecord record{.fields = std::move(*fields), .counters = std::move(parsed->counters)};
  for (FieldPath& path : record.counters) path.erase(path.begin());
  return RecordMessage{.record = std::move(record), .other = {}};
}

const std::string* text_of(const Map& object, std::string_view key) {
  return member<std::string>(object, key);
}

const Map* map_of(const Map& object, std::string_view key) {
  return member<Map>(object, key);
}

}  // namespace fermata::cli
