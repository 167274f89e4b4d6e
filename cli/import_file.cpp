#include "cli/import_file.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "cli/files.hpp"

namespace fermata::cli {
namespace {

constexpr std::string_view kBlank = " \t\r\n";
constexpr std::uint64_t kProgressEvery = 256;
constexpr std::size_t kMaxBytes = std::size_t{1} << 30;

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

// Gathers the documents of one file.
class Collector {
 public:
  Collector(const std::string& path, const std::string& id_field) : path_(path), id_field_(id_field) {}

  Status add(Value value, const Place& place) {
    Map* document = value.if_a<Map>();
    if (document == nullptr) {
      return fail(ErrorCode::TypeMismatch, fmt::format("{} is not a JSON object", place.text()));
    }
    if (auto status = take_id(*document, id_field_, place); !status) return status;
    const std::string& id = *document->find("_id")->second.if_a<std::string>();
    // Which of the two is meant is not ours to guess.
    const auto [first, is_new] = numbers_.emplace(id, place.number);
    if (!is_new) {
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("{}: {} {} and {} {} have the same id \"{}\"; nothing was imported", path_, place.unit,
                              first->second, place.unit, place.number, id));
    }
    documents_.push_back(std::move(*document));
    return {};
  }

  Status add_all(Array values) {
    for (Value& value : values) {
      if (auto status = add(std::move(value), {path_, "document", documents_.size() + 1}); !status) return status;
    }
    return {};
  }

  [[nodiscard]] std::vector<Map> take() { return std::move(documents_); }

 private:
  const std::string& path_;
  const std::string& id_field_;
  std::vector<Map> documents_;
  std::unordered_map<std::string, std::uint64_t> numbers_;  // of the line or document that has the id
};

// A file whose first line is an object by itself holds one document a line. A pretty-printed file breaks the line
// inside its first object.
bool looks_like_lines(std::string_view text) {
  const std::string_view first = trimmed(text.substr(0, text.find('\n')));
  return first.size() >= 2 && first.front() == '{' && first.back() == '}' && first.size() < text.size();
}

// Where the array or object at the start of a text, which has no blanks before it, ends; nothing if it does not.
std::optional<std::size_t> end_of_value(std::string_view text) {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\') ++i;
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (depth == 0 && c != '[' && c != '{') return std::nullopt;
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && --depth == 0) return i + 1;
  }
  return std::nullopt;
}

// The parser takes text after the end for an end that is missing. "" if there is none.
std::string text_after_end(std::string_view text) {
  const std::size_t start = std::min(text.find_first_not_of(kBlank), text.size());
  auto end = end_of_value(text.substr(start));
  if (end) *end += start;
  const auto rest = end ? text.find_first_not_of(kBlank, *end) : std::string_view::npos;
  if (rest == std::string_view::npos) return {};
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(rest), '\n');
  const std::string_view kind = text[*end - 1] == ']' ? "array" : "object";
  return fmt::format("JSON, line {}: there is text after the end of the {}", line, kind);
}

Result<Value> parse_json(std::string_view text, unsigned wrapping) {
  auto value = from_json(text, wrapping);
  if (value || value.error().code != ErrorCode::Malformed) return value;
  std::string after = text_after_end(text);
  return fail(ErrorCode::Malformed, after.empty() ? value.error().message : std::move(after));
}

// What is said of a single line names line 1, which is not the file's.
std::string without_line(std::string_view message) {
  constexpr std::string_view prefix = "JSON, line 1: ";
  return std::string(message.starts_with(prefix) ? message.substr(prefix.size()) : message);
}

Result<std::vector<Map>> parse_lines(std::string_view text, const std::string& path, const std::string& id_field,
                                     const ReadProgress& progress) {
  Collector collector(path, id_field);
  std::uint64_t number = 0;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = trimmed(text.substr(start, end - start));
    start = end + 1;
    const Place place{path, "line", ++number};
    if (number % kProgressEvery == 0) progress(std::min(start, text.size()), text.size());
    if (line.empty()) continue;
    auto value = parse_json(line, 0);
    if (!value)
      return fail(value.error().code, fmt::format("{}: {}", place.text(), without_line(value.error().message)));
    if (auto status = collector.add(std::move(*value), place); !status) return fail(status.error());
  }
  progress(text.size(), text.size());
  return collector.take();
}

// An object is one document if it has the id, else a wrapper around lists of documents, as in iso-codes.
Status add_object(Collector& collector, Map object, const std::string& path, const std::string& id_field) {
  const auto is_array = [](const auto& member) { return member.second.template if_a<Array>() != nullptr; };
  const bool is_document = id_value(object, id_field) != nullptr;
  const auto other = std::find_if_not(object.begin(), object.end(), is_array);
  if (!is_document && other != object.end() && std::any_of(object.begin(), object.end(), is_array)) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{}: document 1 has no field \"{}\" for its id; name another with --id. An object is read "
                            "as arrays of documents only if all its members are arrays, and \"{}\" is none",
                            path, id_field, other->first));
  }
  if (is_document || other != object.end() || object.empty()) {
    return collector.add(Value(std::move(object)), {path, "document", 1});
  }
  for (auto& [key, value] : object) {
    if (auto status = collector.add_all(std::move(*value.if_a<Array>())); !status) return status;
  }
  return {};
}

Result<std::vector<Map>> parse_whole(std::string_view text, const std::string& path, const std::string& id_field) {
  constexpr unsigned kAroundDocument = 2;  // {"list":[{…}]}; a deeper document is refused when it is written
  auto value = parse_json(text, kAroundDocument);
  if (!value) return fail(value.error().code, fmt::format("{}: {}", path, value.error().message));
  Collector collector(path, id_field);
  Status added =
      fail(ErrorCode::TypeMismatch, fmt::format("{}: expected a JSON array, an object, or an object a line", path));
  if (Map* object = value->if_a<Map>()) added = add_object(collector, std::move(*object), path, id_field);
  if (Array* array = value->if_a<Array>()) added = collector.add_all(std::move(*array));
  if (!added) return fail(added.error());
  return collector.take();
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
  const std::string name = path == "-" ? "stdin" : path;
  auto text = read_file(path, kMaxBytes);
  if (!text && text.error().code == ErrorCode::LimitExceeded) {
    return fail(ErrorCode::LimitExceeded, name + " holds more than 1 GiB; split it into several files");
  }
  if (!text) return fail(text.error());
  const ReadProgress silent = [](std::uint64_t, std::uint64_t) {};
  return parse_documents(*text, name, id_field, progress ? progress : silent);
}

}  // namespace fermata::cli
