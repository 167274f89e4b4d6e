#include "query/sqlite_functions.hpp"

#include <sqlite3.h>

#include "query/scalar.hpp"

namespace fermata::query {
namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::uint8_t kMajorBytes = 2, kMajorArray = 4, kMajorMap = 5;

std::uint8_t major_type(ByteView item) {
  return item.empty() ? std::uint8_t{7} : static_cast<std::uint8_t>(item[0] >> 5);
}

ByteView blob_of(sqlite3_value* value) {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_value_blob(value));
  return {data, data == nullptr ? 0 : static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

// Takes the next name off an encoded path.
Result<std::string_view> next_name(ByteView& path) {
  std::size_t length = 0;
  if (path.size() < kLengthBytes) return fail(ErrorCode::Malformed, "an encoded path ends early");
  for (std::size_t i = 0; i < kLengthBytes; ++i) length = length << 8 | path[i];
  if (path.size() - kLengthBytes < length) return fail(ErrorCode::Malformed, "an encoded path ends early");
  const ByteView name = path.subspan(kLengthBytes, length);
  path = path.subspan(kLengthBytes + length);
  return std::string_view(reinterpret_cast<const char*>(name.data()), length);
}

// Moves `in` from a map to the value under `name`. Result: whether it is there.
Result<bool> enter(CborReader& in, std::string_view name) {
  if (major_type(in.rest()) != kMajorMap) return false;
  const auto pairs = in.map();
  if (!pairs) return fail(pairs.error());
  for (std::size_t i = 0; i < *pairs; ++i) {
    const auto key = in.text();
    if (!key) return fail(key.error());
    if (*key == name) return true;
    if (auto skipped = in.skip(); !skipped) return fail(skipped.error());
  }
  return false;
}

void give_error(sqlite3_context* context, const Error& error) {
  const std::string message = "a stored document does not decode: " + error.message;
  sqlite3_result_error(context, message.c_str(), static_cast<int>(message.size()));
}

void give_blob(sqlite3_context* context, ByteView bytes) {
  if (bytes.empty()) return sqlite3_result_zeroblob(context, 0);
  sqlite3_result_blob64(context, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
}

void give_text(sqlite3_context* context, std::string_view text) {
  sqlite3_result_text64(context, text.empty() ? "" : text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void give_truth(sqlite3_context* context, Truth truth) {
  if (truth == Truth::Unknown) return sqlite3_result_null(context);
  sqlite3_result_int(context, truth == Truth::True ? 1 : 0);
}

void give_small(sqlite3_context* context, const Value& value) {
  const Scalar scalar = to_scalar(value);
  if (const auto* integer = std::get_if<std::int64_t>(&scalar)) return sqlite3_result_int64(context, *integer);
  if (const auto* real = std::get_if<double>(&scalar)) return sqlite3_result_double(context, *real);
  if (const auto text = text_of(scalar)) return give_text(context, *text);
  if (const auto* bytes = std::get_if<Bytes>(&scalar)) return give_blob(context, *bytes);
  sqlite3_result_null(context);
}

// The item at the front of `item` as a storage class.
Status give_item(sqlite3_context* context, ByteView item) {
  CborReader in(item);
  switch (major_type(item)) {
    case kMajorBytes: {
      const auto bytes = in.bytes();
      if (!bytes) return fail(bytes.error());
      give_blob(context, *bytes);
      return {};
    }
    case kMajorArray:
    case kMajorMap: {
      if (auto skipped = in.skip(); !skipped) return skipped;
      give_blob(context, item.first(item.size() - in.rest().size()));
      return {};
    }
    default: {
      const auto value = in.value();
      if (!value) return fail(value.error());
      give_small(context, *value);
      return {};
    }
  }
}

void get_function(sqlite3_context* context, int, sqlite3_value** arguments) {
  const auto item = find_item(blob_of(arguments[0]), blob_of(arguments[1]));
  if (!item) return give_error(context, item.error());
  if (item->empty()) return sqlite3_result_null(context);
  if (auto given = give_item(context, *item); !given) give_error(context, given.error());
}

void kind_function(sqlite3_context* context, int, sqlite3_value** arguments) {
  const auto item = find_item(blob_of(arguments[0]), blob_of(arguments[1]));
  if (!item) return give_error(context, item.error());
  if (item->empty()) return sqlite3_result_int(context, 0);
  sqlite3_result_int(context, CborReader(*item).next_is_null() ? 1 : 2);
}

// Only what truth_of() and like() look into; a blob stands for itself by any blob.
Scalar scalar_of(sqlite3_value* value) {
  switch (sqlite3_value_type(value)) {
    case SQLITE_NULL:
      return Null{};
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_value_int64(value)};
    case SQLITE_FLOAT:
      return sqlite3_value_double(value);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
      return std::string_view(text, static_cast<std::size_t>(sqlite3_value_bytes(value)));
    }
    default:
      return Bytes{};
  }
}

void truth_function(sqlite3_context* context, int, sqlite3_value** arguments) {
  give_truth(context, truth_of(scalar_of(arguments[0])));
}

void like_function(sqlite3_context* context, int, sqlite3_value** arguments) {
  give_truth(context, like(scalar_of(arguments[0]), scalar_of(arguments[1])));
}

}  // namespace

void register_functions(sqlite3* connection) {
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  const auto add = [&](const char* name, int arguments, void (*function)(sqlite3_context*, int, sqlite3_value**)) {
    // Fails only without memory, and then the first statement that names the function says so.
    sqlite3_create_function_v2(connection, name, arguments, kFlags, nullptr, function, nullptr, nullptr, nullptr);
  };
  add("fermata_get", 2, get_function);
  add("fermata_kind", 2, kind_function);
  add("fermata_truth", 1, truth_function);
  add("fermata_like", 2, like_function);
}

Bytes encode_path(const crdt::Path& path) {
  Bytes out;
  for (const std::string& name : path) {
    for (std::size_t i = kLengthBytes; i-- > 0;) out.push_back(static_cast<std::uint8_t>(name.size() >> (8 * i)));
    out.insert(out.end(), name.begin(), name.end());
  }
  return out;
}

Result<ByteView> find_item(ByteView body, ByteView encoded_path) {
  CborReader in(body);
  while (!encoded_path.empty()) {
    const auto name = next_name(encoded_path);
    if (!name) return fail(name.error());
    const auto entered = enter(in, *name);
    if (!entered) return fail(entered.error());
    if (!*entered) return ByteView{};
  }
  return in.rest();
}

}  // namespace fermata::query
