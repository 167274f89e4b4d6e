#include "cli/json_records.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

namespace fermata::cli {
namespace {

using Next = Result<std::optional<ReadRecord>>;

constexpr std::string_view kBlank = " \t\r\n";

tl::unexpected<Error> malformed(std::uint64_t line, std::string_view what) {
  return fail(ErrorCode::Malformed, fmt::format("line {}: {}", line, what));
}

// "JSON, line 2: …" is said of a text that began in this line of the file; "JSON: …" of all of it.
Error moved_to_line(const Error& error, std::uint64_t first_line) {
  constexpr std::string_view kWithLine = "JSON, line ", kWithout = "JSON: ";
  std::string_view message = error.message;
  std::uint64_t line = 1;
  if (message.starts_with(kWithLine)) {
    message.remove_prefix(kWithLine.size());
    const auto [end, code] = std::from_chars(message.data(), message.data() + message.size(), line);
    message.remove_prefix(std::min<std::size_t>(message.size(), static_cast<std::size_t>(end - message.data()) + 2));
  } else if (message.starts_with(kWithout)) {
    message.remove_prefix(kWithout.size());
  }
  return {error.code, fmt::format("line {}: {}", first_line + line - 1, message)};
}

// Takes the JSON value that comes, whose first byte is no blank. Of its text only brackets and quotes are understood.
class ValueTaker {
 public:
  ValueTaker(ByteSource& source, std::string& out) : source_(source), out_(out) {}

  Status run() {
    while (out_.size() <= kMaxRecordBytes) {
      if (is_inside()) pass_dull();
      const int next = source_.peek();
      if (next == ByteSource::kEnd) return is_inside() ? malformed(source_.line(), "the file ended early") : Status();
      const char c = static_cast<char>(next);
      if (!is_inside() && (kBlank.find(c) != std::string_view::npos || kEnds.find(c) != std::string_view::npos)) {
        return {};
      }
      take(c);
      if (!is_inside() && (c == ']' || c == '}' || c == '"')) return {};
    }
    return fail(ErrorCode::LimitExceeded,
                fmt::format("line {}: a value goes on beyond {} MiB", source_.line(), kMaxRecordBytes >> 20));
  }

 private:
  static constexpr std::string_view kEnds = ",:]}";

  [[nodiscard]] bool is_inside() const { return depth_ > 0 || quoted_; }

  void pass_dull() { out_ += source_.take_run(quoted_ ? "\"\\" : "\"[]{}"); }

  void take(char c) {
    out_ += c;
    source_.take();
    if (quoted_ && c == '\\') {
      if (source_.peek() != ByteSource::kEnd) out_ += static_cast<char>(source_.take());
    } else if (c == '"') {
      quoted_ = !quoted_;
    } else if (!quoted_ && (c == '[' || c == '{')) {
      ++depth_;
    } else if (!quoted_ && (c == ']' || c == '}')) {
      --depth_;
    }
  }

  ByteSource& source_;
  std::string& out_;
  std::size_t depth_ = 0;
  bool quoted_ = false;
};

Status take_value(ByteSource& source, std::string& out) {
  return ValueTaker(source, out).run();
}

ReadRecord parsed(std::string_view text, std::uint64_t line, const Place& place) {
  auto record = record_from_json(text);
  if (record) return {place, std::move(record)};
  if (record.error().code != ErrorCode::TypeMismatch) return {place, fail(moved_to_line(record.error(), line))};
  return {place, fail(ErrorCode::TypeMismatch, place.text() + " is not a JSON object")};
}

bool has_id(const Map& object, const std::string& id_field) {
  return object.contains(id_field) || find_path(object, id_field) != nullptr;
}

}  // namespace

Next JsonRecords::next() {
  if (state_ == State::Ended) return std::nullopt;
  if (state_ == State::Start) return begin();
  ByteSource& from = object_ ? *object_ : source_;
  from.skip_blank();
  if (from.peek() == ']') return end_of_array();
  if (state_ == State::Following) {
    if (from.peek() == ByteSource::kEnd) return malformed(from.line(), "the file ended early");
    if (from.take() != ',') return malformed(from.line(), "expected a comma or the end of the array");
    from.skip_blank();
  }
  return element();
}

Next JsonRecords::begin() {
  source_.skip_blank();
  const int first = source_.peek();
  if (first == ByteSource::kEnd) {
    state_ = State::Ended;
    if (!source_.status()) return fail(source_.status().error());
    return std::nullopt;
  }
  if (first == '{') return whole_object();
  if (first == '[') {
    source_.take();
    state_ = State::First;
    return next();
  }
  std::string text;
  const std::uint64_t line = source_.line();
  if (auto taken = take_value(source_, text); !taken) return fail(taken.error());
  if (auto value = from_json(text); !value) return fail(moved_to_line(value.error(), line));
  return fail(ErrorCode::TypeMismatch, "expected a JSON array, an object, or an object a line");
}

Next JsonRecords::element() {
  ByteSource& from = object_ ? *object_ : source_;
  const std::uint64_t line = from.line();
  std::string text;
  if (auto taken = take_value(from, text); !taken) {
    if (taken.error().code != ErrorCode::Malformed) return fail(taken.error());
    return malformed(line, fmt::format("the file ended early, within document {}", count_ + 1));
  }
  if (!from.status()) return fail(from.status().error());
  if (text.empty()) {
    return malformed(from.line(), from.peek() == ByteSource::kEnd ? "the file ended early" : "expected a value");
  }
  state_ = State::Following;
  return parsed(text, line, {"document", ++count_});
}

Next JsonRecords::end_of_array() {
  ByteSource& from = object_ ? *object_ : source_;
  if (state_ == State::Following || state_ == State::First) from.take();
  if (!object_) return end_of_file("array");
  from.skip_blank();
  if (from.take() == '}') return end_of_file("object");
  if (auto entered = enter_member(); !entered) return fail(entered.error());
  return next();
}

// Up to its first element; the text has been parsed, so all is where it must be.
Status JsonRecords::enter_member() {
  object_->skip_blank();
  std::string key;
  if (auto taken = take_value(*object_, key); !taken) return taken;
  object_->skip_blank();
  object_->take();
  object_->skip_blank();
  object_->take();
  state_ = State::First;
  return {};
}

Result<bool> JsonRecords::is_wrapper(const Map& object) const {
  const auto is_array = [](const auto& member) { return member.second.template if_a<Array>() != nullptr; };
  if (has_id(object, id_field_) || std::none_of(object.begin(), object.end(), is_array)) return false;
  const auto other = std::find_if_not(object.begin(), object.end(), is_array);
  if (other == object.end()) return true;
  return fail(
      ErrorCode::InvalidArgument,
      fmt::format("document 1 has no field \"{}\" for its id; name another with --id. An object is read as arrays "
                  "of documents only if all its members are arrays, and \"{}\" is none",
                  id_field_, other->first));
}

Next JsonRecords::whole_object() {
  const std::uint64_t line = source_.line();
  std::string text;
  if (auto taken = take_value(source_, text); !taken) return fail(taken.error());
  constexpr unsigned kAroundDocument = 2;  // {"list":[{…}]}; a deeper document is refused when it is written
  auto value = from_json(text, kAroundDocument);
  if (!value) return fail(moved_to_line(value.error(), line));
  const Map* object = value->if_a<Map>();  // unless it stands for a value of another kind
  const auto wrapped = object == nullptr ? Result<bool>(false) : is_wrapper(*object);
  if (!wrapped) return fail(wrapped.error());
  if (!*wrapped) {
    ReadRecord only = parsed(text, line, {"document", 1});
    if (auto ended = end_of_file("object"); !ended) return ended;
    return only;
  }
  object_.emplace(std::move(text), line);
  object_->take();
  if (auto entered = enter_member(); !entered) return fail(entered.error());
  return next();
}

Next JsonRecords::end_of_file(std::string_view kind) {
  state_ = State::Ended;
  source_.skip_blank();
  if (!source_.status()) return fail(source_.status().error());
  if (source_.peek() == ByteSource::kEnd) return std::nullopt;
  return malformed(source_.line(), fmt::format("there is text after the end of the {}", kind));
}

Next JsonLines::next() {
  source_.skip_blank();
  const std::uint64_t line = source_.line();
  std::string text;
  for (auto run = source_.take_run("\n"); !run.empty(); run = source_.take_run("\n")) {
    text += run;
    if (text.size() > kMaxRecordBytes) {
      return fail(ErrorCode::LimitExceeded, fmt::format("line {} is longer than {} MiB", line, kMaxRecordBytes >> 20));
    }
  }
  if (!source_.status()) return fail(source_.status().error());
  if (text.empty()) return std::nullopt;
  ReadRecord read = parsed(text, line, {"line", line});
  if (read.record || text.front() != '{') return read;
  // The parser takes text after the end for an end that is missing.
  ByteSource again(text, line);
  std::string value;
  if (take_value(again, value)) again.skip_blank();
  if (again.peek() != ByteSource::kEnd) read.record = malformed(line, "there is text after the end of the object");
  return read;
}

}  // namespace fermata::cli
