// A point in time that documents hold. Plain data: copyable, comparable, no thread rule of its own.
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <fermata/result.hpp>
#include <string>
#include <string_view>

namespace fermata {

// Milliseconds since 1970-01-01 in UTC, of the years 0001 to 9999. Sorts by time, which is also the order of its texts.
class Timestamp {
 public:
  using Time = std::chrono::sys_time<std::chrono::milliseconds>;

  Timestamp() = default;  // 1970-01-01T00:00:00.000Z
  // Error: InvalidArgument outside of the years 0001 to 9999.
  [[nodiscard]] static Result<Timestamp> from_time(Time time);
  // Any date-time of RFC 3339 §5.6: every offset, every number of fraction digits; rounded to milliseconds towards the
  // past. A leap second is the second after it. Error: Malformed.
  [[nodiscard]] static Result<Timestamp> parse(std::string_view rfc3339);

  [[nodiscard]] Time time() const { return time_; }
  // RFC 3339 in UTC with three digits of fraction, for example 2026-11-23T19:40:26.000Z.
  [[nodiscard]] std::string to_text() const;

  friend auto operator<=>(const Timestamp&, const Timestamp&) = default;

 private:
  explicit Timestamp(Time time) : time_(time) {}
  Time time_{};
};

// The text of a Timestamp without a string of its own.
class TimestampText {
 public:
  explicit TimestampText(Timestamp timestamp);
  [[nodiscard]] std::string_view view() const { return {text_.data(), text_.size()}; }

 private:
  std::array<char, 24> text_;
};

}  // namespace fermata
