#include "cli/import_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "cli/files.hpp"

namespace fermata::cli {
namespace {

constexpr std::string_view kBlank = " \t\r\n";
constexpr std::uint64_t kProgressEvery = 256;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// Where a document stands in its file, for messages.
struct Place {
  const std::string& path;
  std::string_view unit;  // "line" or "document"
  std::uint64_t number;

  [[nodiscard]] std::string text() const { return fmt::format("{}: {} {}", path, unit, number); }
};

const Value* id_value(const Map& document, const std::string& id_field) {
  const auto found = document.find(id_field);
  return found == document.end() ? find_path(document, id_field) : &found->second;
}

// Gives the document its "_id".
Status take_id(Map& document, const std::string& id_field, const Place& place) {
  const Value* value = id_value(document, id_field);
  if (value == nullptr) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{} has no field \"{}\" for its id; name another with --id", place.text(), id_field));
  }
  std::string id;
  if (const auto* text = value->if_a<std::string>()) {
    id = *text;
  } else if (const auto* number = value->if_a<std::int64_t>()) {
    id = std::to_string(*number);
  } else {
    return fail(ErrorCode::TypeMismatch,
                fmt::format("{}: the id in \"{}\" is neither text nor an integer", place.text(), id_field));
  }
  if (id.empty()) {
    return fail(ErrorCode::InvalidArgument, fmt::format("{}: the id in \"{}\" is empty", place.text(), id_field));
  }
  document.insert_or_assign("_id", std::move(id));
  return {};
}

Status append(std::vector<Map>& documents, Value value, const std::string& id_field, const Place& place) {
  Map* document = value.if_a<Map>();
  if (document == nullptr) {
    return fail(ErrorCode::TypeMismatch, fmt::format("{} is not a JSON object", place.text()));
  }
  if (auto status = take_id(*document, id_field, place); !status) return status;
  documents.push_back(std::move(*document));
  return {};
}

Status append_all(std::vector<Map>& documents, Array values, const std::string& path, const std::string& id_field) {
  for (Value& value : values) {
    const Place place{path, "document", documents.size() + 1};
    if (auto status = append(documents, std::move(value), id_field, place); !status) return status;
  }
  return {};
}

// A file whose first line is an object by itself holds one document a line. A pretty-printed file breaks the line
// inside its first object.
bool looks_like_lines(std::string_view text) {
  const std::string_view first = trimmed(text.substr(0, text.find('\n')));
  return first.size() >= 2 && first.front() == '{' && first.back() == '}' && first.size() < text.size();
}

// What from_json says of a single line names line 1, which is not the file's.
std::string without_line(std::string_view message) {
  constexpr std::string_view prefix = "JSON, line 1: ";
  return std::string(message.starts_with(prefix) ? message.substr(prefix.size()) : message);
}

Result<std::vector<Map>> parse_lines(std::string_view text, const std::string& path, const std::string& id_field,
                                     const ReadProgress& progress) {
  std::vector<Map> documents;
  std::uint64_t number = 0;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = trimmed(text.substr(start, end - start));
    start = end + 1;
    const Place place{path, "line", ++number};
    if (number % kProgressEvery == 0) progress(std::min(start, text.size()), text.size());
    if (line.empty()) continue;
    auto value = from_json(line);
    if (!value)
      return fail(value.error().code, fmt::format("{}: {}", place.text(), without_line(value.error().message)));
    if (auto status = append(documents, std::move(*value), id_field, place); !status) return fail(status.error());
  }
  progress(text.size(), text.size());
  return documents;
}

// An object is one document if it has the id, else a wrapper around lists of documents, as in iso-codes.
Result<std::vector<Map>> parse_object(Map object, const std::string& path, const std::string& id_field) {
  bool only_arrays = !object.empty();
  for (const auto& [key, value] : object) only_arrays = only_arrays && value.if_a<Array>() != nullptr;
  std::vector<Map> documents;
  if (!only_arrays || id_value(object, id_field) != nullptr) {
    auto status = append(documents, Value(std::move(object)), id_field, {path, "document", 1});
    if (!status) return fail(status.error());
    return documents;
  }
  for (auto& [key, value] : object) {
    auto status = append_all(documents, std::move(*value.if_a<Array>()), path, id_field);
    if (!status) return fail(status.error());
  }
  return documents;
}

Result<std::vector<Map>> parse_whole(std::string_view text, const std::string& path, const std::string& id_field) {
  auto value = from_json(text);
  if (!value) return fail(value.error().code, fmt::format("{}: {}", path, value.error().message));
  if (Map* object = value->if_a<Map>()) return parse_object(std::move(*object), path, id_field);
  Array* array = value->if_a<Array>();
  if (array == nullptr) {
    return fail(ErrorCode::TypeMismatch,
                fmt::format("{}: expected a JSON array, an object, or an object a line", path));
  }
  std::vector<Map> documents;
  documents.reserve(array->size());
  if (auto status = append_all(documents, std::move(*array), path, id_field); !status) return fail(status.error());
  return documents;
}

Result<std::string> read_file(const std::string& path) {
  Fd file;
  if (path != "-") file = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const int fd = path == "-" ? STDIN_FILENO : file.fd();
  std::string text;
  char chunk[1 << 16];
  ssize_t n = -1;
  while (fd >= 0 && (n = ::read(fd, chunk, sizeof chunk)) != 0) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) break;
    text.append(chunk, static_cast<std::size_t>(n));
  }
  if (n == 0) return text;
  return fail(errno_error("cannot read " + path, errno));
}

Result<std::vector<Map>> parse_documents(std::string_view text, const std::string& path, const std::string& id_field,
                                         const ReadProgress& progress) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const std::string_view content = trimmed(text);
  if (content.empty()) return std::vector<Map>();
  // Leading blank lines are kept, so that the line numbers in messages stay those of the file.
  if (path.ends_with(".ndjson") || path.ends_with(".jsonl") || looks_like_lines(content)) {
    return parse_lines(text, path, id_field, progress);
  }
  return parse_whole(text, path, id_field);
}

}  // namespace

Result<std::vector<Map>> read_documents(const std::string& path, const std::string& id_field,
                                        const ReadProgress& progress) {
  auto text = read_file(path);
  if (!text) return fail(text.error());
  const ReadProgress silent = [](std::uint64_t, std::uint64_t) {};
  return parse_documents(*text, path == "-" ? "stdin" : path, id_field, progress ? progress : silent);
}

}  // namespace fermata::cli
