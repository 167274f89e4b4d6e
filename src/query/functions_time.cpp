#include <fermata/timestamp.hpp>

#include <cmath>

#include "query/functions.hpp"

namespace fermata::query {
namespace {

using std::chrono::milliseconds;
using Time = Timestamp::Time;

// A timestamp, or text that is one. Of RFC 3339 a date alone will do: its midnight in UTC.
std::optional<Time> time_of(const Value& value) {
  if (const auto* timestamp = value.if_a<Timestamp>()) return timestamp->time();
  const auto* text = value.if_a<std::string>();
  if (text == nullptr) return std::nullopt;
  constexpr std::size_t kDateLength = 10;
  const auto parsed = Timestamp::parse(text->size() == kDateLength ? *text + "T00:00:00Z" : *text);
  return parsed ? std::optional<Time>(parsed->time()) : std::nullopt;
}

Value timestamp_or_null(Time time) {
  const auto made = Timestamp::from_time(time);
  return made ? Value(*made) : Value(nullptr);
}

// Units of a fixed length.
std::optional<milliseconds> length_of(std::string_view unit) {
  using std::chrono::days, std::chrono::hours, std::chrono::minutes, std::chrono::seconds, std::chrono::weeks;
  if (unit == "millisecond") return milliseconds(1);
  if (unit == "second") return seconds(1);
  if (unit == "minute") return minutes(1);
  if (unit == "hour") return hours(1);
  if (unit == "day") return days(1);
  if (unit == "week") return weeks(1);
  return std::nullopt;
}

// Months of a unit that has no fixed length; 0 for others.
int months_of(std::string_view unit) {
  return unit == "month" ? 1 : unit == "quarter" ? 3 : unit == "year" ? 12 : 0;
}

std::chrono::year_month_day date_of(Time time) {
  return std::chrono::floor<std::chrono::days>(time);
}

// On the last day of the month where the month is too short.
Time add_months(Time time, std::int64_t count) {
  const Time midnight = std::chrono::floor<std::chrono::days>(time);
  auto date = date_of(time) + std::chrono::months(static_cast<int>(count));
  if (!date.ok()) date = date.year() / date.month() / std::chrono::last;
  return std::chrono::sys_days(date) + (time - midnight);
}

// timestamp(text), or of milliseconds since 1970.
std::optional<Value> timestamp(Arguments arguments) {
  if (const auto* count = arguments[0]->if_a<std::int64_t>()) return timestamp_or_null(Time(milliseconds(*count)));
  const auto time = time_of(*arguments[0]);
  return time ? timestamp_or_null(*time) : Value(nullptr);
}

// Milliseconds since 1970.
std::optional<Value> epoch_ms(Arguments arguments) {
  const auto time = time_of(*arguments[0]);
  return time ? whole(time->time_since_epoch().count()) : Value(nullptr);
}

// date_add(time, count, unit)
std::optional<Value> date_add(Arguments arguments) {
  const auto time = time_of(*arguments[0]);
  const auto* count = arguments[1]->if_a<std::int64_t>();
  const auto* unit = arguments[2]->if_a<std::string>();
  constexpr std::int64_t kMostUnits = 400'000'000'000'000;  // milliseconds in more than 10,000 years
  if (!time || count == nullptr || unit == nullptr || *count > kMostUnits || *count < -kMostUnits)
    return Value(nullptr);
  constexpr std::int64_t kMostMonths = 120'000;
  const std::int64_t months = months_of(*unit);
  if (months > 0) {
    return std::abs(*count) > kMostMonths ? Value(nullptr) : timestamp_or_null(add_months(*time, *count * months));
  }
  const auto length = length_of(*unit);
  std::int64_t span = 0;
  if (!length || __builtin_mul_overflow(*count, length->count(), &span) || std::abs(span) > kMostUnits) {
    return Value(nullptr);
  }
  return timestamp_or_null(*time + milliseconds(span));
}

// Whole months from one to the other, towards zero.
std::int64_t months_between(Time from, Time to) {
  const auto a = date_of(from), b = date_of(to);
  std::int64_t count =
      (static_cast<int>(b.year()) - static_cast<int>(a.year())) * 12 +
      (static_cast<int>(static_cast<unsigned>(b.month())) - static_cast<int>(static_cast<unsigned>(a.month())));
  if (count > 0 && add_months(from, count) > to) --count;
  if (count < 0 && add_months(from, count) < to) ++count;
  return count;
}

// date_diff(later, earlier, unit): whole units, towards zero.
std::optional<Value> date_diff(Arguments arguments) {
  const auto later = time_of(*arguments[0]), earlier = time_of(*arguments[1]);
  const auto* unit = arguments[2]->if_a<std::string>();
  if (!later || !earlier || unit == nullptr) return Value(nullptr);
  if (const int months = months_of(*unit); months > 0) return whole(months_between(*earlier, *later) / months);
  const auto length = length_of(*unit);
  return length ? whole((*later - *earlier) / *length) : Value(nullptr);
}

std::optional<Value> clock_part(Time time, std::string_view unit) {
  const std::int64_t in_day = (time - std::chrono::floor<std::chrono::days>(time)).count();
  if (unit == "hour") return whole(in_day / 3'600'000);
  if (unit == "minute") return whole(in_day / 60'000 % 60);
  if (unit == "second") return whole(in_day / 1'000 % 60);
  if (unit == "millisecond") return whole(in_day % 1'000);
  return Value(nullptr);
}

// date_part(time, unit): in UTC; weekdays from 1, Monday, to 7 (ISO 8601).
std::optional<Value> date_part(Arguments arguments) {
  const auto time = time_of(*arguments[0]);
  const auto* unit = arguments[1]->if_a<std::string>();
  if (!time || unit == nullptr) return Value(nullptr);
  const auto date = date_of(*time);
  if (*unit == "year") return whole(static_cast<int>(date.year()));
  if (*unit == "month") return whole(static_cast<unsigned>(date.month()));
  if (*unit == "quarter") return whole((static_cast<unsigned>(date.month()) + 2) / 3);
  if (*unit == "day") return whole(static_cast<unsigned>(date.day()));
  if (*unit == "weekday") return whole(std::chrono::weekday(std::chrono::sys_days(date)).iso_encoding());
  return clock_part(*time, *unit);
}

// date_trunc(time, unit): the beginning of the unit, in UTC; weeks begin on Monday.
std::optional<Value> date_trunc(Arguments arguments) {
  const auto time = time_of(*arguments[0]);
  const auto* unit = arguments[1]->if_a<std::string>();
  if (!time || unit == nullptr) return Value(nullptr);
  const auto date = date_of(*time);
  const auto month = static_cast<unsigned>(date.month());
  if (*unit == "year") return timestamp_or_null(std::chrono::sys_days(date.year() / 1 / 1));
  if (*unit == "month") return timestamp_or_null(std::chrono::sys_days(date.year() / date.month() / 1));
  if (*unit == "quarter") {
    return timestamp_or_null(std::chrono::sys_days(date.year() / std::chrono::month((month - 1) / 3 * 3 + 1) / 1));
  }
  if (*unit == "week") {
    const std::chrono::weekday day{std::chrono::sys_days(date)};
    return timestamp_or_null(std::chrono::sys_days(date) - (day - std::chrono::Monday));
  }
  const auto length = length_of(*unit);
  if (!length) return Value(nullptr);
  const Time midnight = std::chrono::floor<std::chrono::days>(*time);
  return timestamp_or_null(midnight + (*time - midnight) / *length * *length);
}

constexpr Function kTimeFunctions[] = {
    {"timestamp", 1, 1, timestamp}, {"epoch_ms", 1, 1, epoch_ms},   {"date_add", 3, 3, date_add},
    {"date_diff", 3, 3, date_diff}, {"date_part", 2, 2, date_part}, {"date_trunc", 2, 2, date_trunc},
};

}  // namespace

std::span<const Function> time_functions() {
  return kTimeFunctions;
}

}  // namespace fermata::query
