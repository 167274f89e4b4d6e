// Reads item after item of one message and keeps the first error, so that each message reads as a list of its fields;
// after an error every further read gives an empty value. The caller asks once, at the end. Private to the codec.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/cbor.hpp"

namespace fermata::sync {

class Fields {
 public:
  explicit Fields(ByteView frame) : in_(frame) {}

  [[nodiscard]] bool ok() const { return !error_; }
  [[nodiscard]] Error error() const { return *error_; }
  [[nodiscard]] bool at_end() const { return in_.at_end(); }
  [[nodiscard]] CborReader& in() { return in_; }
  void refuse(ErrorCode code, std::string message) {
    if (ok()) error_ = Error{code, std::move(message)};
  }

  std::uint64_t uint() {
    return take([this] { return in_.uint(); });
  }
  bool boolean() {
    return take([this] { return in_.boolean(); });
  }
  std::string text(std::size_t most, std::string_view what) {
    const std::string_view view = take([this] { return in_.text(); });
    limit(view.size(), most, what);
    return ok() ? std::string(view) : std::string();
  }
  ByteView bytes() {
    return take([this] { return in_.bytes(); });
  }
  void limit(std::size_t size, std::size_t most, std::string_view what) {
    if (size > most) refuse(ErrorCode::LimitExceeded, fmt::format("{} of {} bytes, more than {}", what, size, most));
  }
  std::size_t array(std::size_t most, std::string_view what) {
    const std::size_t count = take([this] { return in_.array(); });
    if (count <= most) return count;
    refuse(ErrorCode::LimitExceeded, fmt::format("{} {}, more than {}", count, what, most));
    return 0;
  }
  void exactly(std::size_t count, std::size_t expected, std::string_view what) {
    if (ok() && count != expected)
      refuse(ErrorCode::Malformed, fmt::format("{} with {} fields instead of {}", what, count, expected));
  }
  bool null() {
    if (!ok() || !in_.next_is_null()) return false;
    return in_.null().has_value();
  }
  void skip() {
    if (!ok()) return;
    if (auto done = in_.skip(); !done) error_ = done.error();
  }
  // What `read` gives, which may fail.
  template <class Read>
  auto take(Read read) -> typename decltype(read())::value_type {
    if (!ok()) return {};
    auto result = read();
    if (result) return std::move(*result);
    error_ = std::move(result.error());
    return {};
  }

 private:
  CborReader in_;
  std::optional<Error> error_;
};

}  // namespace fermata::sync
