// The values that documents are made of. Plain data: copyable, comparable, no thread rule of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fermata/attachment.hpp>
#include <fermata/result.hpp>
#include <fermata/timestamp.hpp>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace fermata {

class Value;
using Bytes = std::vector<std::uint8_t>;
using Array = std::vector<Value>;
// Keys are UTF-8, compared byte by byte; iteration is in that order, so equal maps encode equally.
using Map = std::map<std::string, Value, std::less<>>;

// One JSON-like value. Integers keep 64 bits and stay distinct from doubles.
class Value {
 public:
  using Variant =
      std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Bytes, Array, Map, Timestamp, Attachment>;

  Value() = default;
  Value(std::nullptr_t) {}
  Value(bool v) : data_(v) {}
  Value(int v) : data_(std::int64_t{v}) {}
  Value(long v) : data_(std::int64_t{v}) {}
  Value(long long v) : data_(std::int64_t{v}) {}
  Value(unsigned v) : data_(std::int64_t{v}) {}
  Value(double v) : data_(v) {}
  Value(const char* v) : data_(std::string(v)) {}
  Value(std::string_view v) : data_(std::string(v)) {}
  Value(std::string v) : data_(std::move(v)) {}
  Value(Bytes v) : data_(std::move(v)) {}
  Value(Array v) : data_(std::move(v)) {}
  Value(Map v) : data_(std::move(v)) {}
  Value(Timestamp v) : data_(v) {}
  Value(Attachment v) : data_(std::move(v)) {}

  [[nodiscard]] const Variant& variant() const { return data_; }
  [[nodiscard]] Variant& variant() { return data_; }

  template <class T>
  [[nodiscard]] const T* if_a() const {
    return std::get_if<T>(&data_);
  }
  template <class T>
  [[nodiscard]] T* if_a() {
    return std::get_if<T>(&data_);
  }
  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::nullptr_t>(data_); }

  friend bool operator==(const Value&, const Value&) = default;

 private:
  Variant data_{nullptr};
};

// The value at a dotted path such as "address.city" below `map`, or nullptr where nothing is. The pointer lives as long
// as `map` is unchanged.
[[nodiscard]] const Value* find_path(const Map& map, std::string_view dotted_path);

// JSON text of a value, one line, keys in order. What JSON lacks becomes a map with one key: {"$bytes": base64},
// {"$timestamp": RFC 3339}, {"$attachment": {"hash": hex, "size": n, "metadata": {…}}}, {"$double": "NaN", "Infinity"
// or
// "-Infinity"}; and a map whose only key begins with "$" becomes {"$map": that map}. So from_json reads every value
// back.
[[nodiscard]] std::string to_json(const Value& value);

// A value from JSON text (RFC 8259). An integer beyond 64 bits is a double. Errors: Malformed with the line of the
// fault, or with the text of what should stand for something that JSON lacks; LimitExceeded below 64 levels, not
// counting as many as `wrapping` around what is wanted.
[[nodiscard]] Result<Value> from_json(std::string_view text, unsigned wrapping = 0);

}  // namespace fermata
