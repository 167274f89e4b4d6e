#include "store/field_functions.hpp"

#include <sqlite3.h>

#include <cmath>

namespace fermata::store {
namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::uint8_t kMajorBytes = 2, kMajorArray = 4, kMajorMap = 5, kMajorSimple = 7;

std::uint8_t major_type(ByteView item) {
  return item.empty() ? kMajorSimple : static_cast<std::uint8_t>(item[0] >> 5);
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

void give_scalar(sqlite3_context* context, const Value& value) {
  if (const auto* boolean = value.if_a<bool>()) return sqlite3_result_int(context, *boolean ? 1 : 0);
  if (const auto* integer = value.if_a<std::int64_t>()) return sqlite3_result_int64(context, *integer);
  if (const auto* real = value.if_a<double>()) return sqlite3_result_double(context, *real);  // NaN becomes null
  if (const auto* text = value.if_a<std::string>()) return give_text(context, *text);
  if (const auto* timestamp = value.if_a<Timestamp>()) return give_text(context, TimestampText(*timestamp).view());
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
      give_value(context, *value);
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

bool counts_as_null(ByteView item) {
  CborReader in(item);
  if (in.next_is_null()) return true;
  if (major_type(item) != kMajorSimple) return false;
  const auto value = in.value();
  const auto* real = value ? value->if_a<double>() : nullptr;
  return real != nullptr && std::isnan(*real);
}

void kind_function(sqlite3_context* context, int, sqlite3_value** arguments) {
  const auto item = find_item(blob_of(arguments[0]), blob_of(arguments[1]));
  if (!item) return give_error(context, item.error());
  if (item->empty()) return sqlite3_result_int(context, 0);
  sqlite3_result_int(context, counts_as_null(*item) ? 1 : 2);
}

void text_function(sqlite3_context* context, int, sqlite3_value** arguments) {
  const auto item = find_item(blob_of(arguments[0]), blob_of(arguments[1]));
  const auto value = item && !item->empty() ? CborReader(*item).value() : Result<Value>(Value());
  if (!item || !value) return give_error(context, item ? value.error() : item.error());
  if (const auto* text = value->if_a<std::string>()) return give_text(context, *text);
  const auto* array = value->if_a<Array>();
  if (array == nullptr) return sqlite3_result_null(context);
  std::string lines;
  for (const Value& element : *array) {
    if (const auto* text = element.if_a<std::string>()) lines += *text + '\n';
  }
  give_text(context, lines);
}

}  // namespace

void register_field_functions(sqlite3* connection) {
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  // Fails only without memory, and then the first statement that names the function says so.
  const auto add = [&](const char* name, void (*function)(sqlite3_context*, int, sqlite3_value**)) {
    sqlite3_create_function_v2(connection, name, 2, kFlags, nullptr, function, nullptr, nullptr, nullptr);
  };
  add("fermata_get", get_function);
  add("fermata_kind", kind_function);
  add("fermata_text", text_function);
}

void give_value(sqlite3_context* context, const Value& value) {
  if (const auto* bytes = value.if_a<Bytes>()) return give_blob(context, *bytes);
  const bool is_tree = value.if_a<Array>() != nullptr || value.if_a<Map>() != nullptr;
  if (is_tree || value.if_a<Attachment>() != nullptr) return give_blob(context, encode_value(value));
  give_scalar(context, value);
}

Result<ByteView> find_item(ByteView body, const crdt::Path& path) {
  CborReader in(body);
  for (const std::string& name : path) {
    const auto entered = enter(in, name);
    if (!entered) return fail(entered.error());
    if (!*entered) return ByteView{};
  }
  return in.rest();
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

}  // namespace fermata::store
