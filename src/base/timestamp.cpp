#include <fermata/timestamp.hpp>

#include <fmt/format.h>

#include <optional>

namespace fermata {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Timestamp::Time kFirst = std::chrono::sys_days(std::chrono::January / 1 / 1);
constexpr Timestamp::Time kEnd = std::chrono::sys_days(std::chrono::January / 1 / 10'000);

// Takes what RFC 3339 §5.6 allows off the front of a text, piece by piece. The first fault sticks.
class DateTimeReader {
 public:
  explicit DateTimeReader(std::string_view text) : rest_(text) {}

  [[nodiscard]] std::optional<Timestamp::Time> read() {
    const Timestamp::Time day = date();
    one_of("Tt");
    const milliseconds clock = time_of_day();
    const minutes from_utc = offset();
    if (!ok_ || !rest_.empty()) return std::nullopt;
    const Timestamp::Time time = day + clock - from_utc;
    if (is_leap_ && time - std::chrono::floor<days>(time) >= seconds(1)) return std::nullopt;
    return time;
  }

 private:
  int digits(int count, int least, int most) {
    int number = 0;
    for (; count > 0; --count) {
      const int digit = is_digit() ? rest_.front() - '0' : -1;
      if (digit < 0) return fault();
      number = 10 * number + digit;
      rest_.remove_prefix(1);
    }
    return number < least || number > most ? fault() : number;
  }

  char one_of(std::string_view allowed) {
    if (!ok_ || rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos)
      return static_cast<char>(fault());
    const char found = rest_.front();
    rest_.remove_prefix(1);
    return found;
  }

  Timestamp::Time date() {
    const std::chrono::year year(digits(4, 0, 9999));
    one_of("-");
    const std::chrono::month month(static_cast<unsigned>(digits(2, 1, 12)));
    one_of("-");
    const std::chrono::year_month_day day(year, month, std::chrono::day(static_cast<unsigned>(digits(2, 1, 31))));
    if (!ok_ || !day.ok()) {
      fault();
      return {};
    }
    return std::chrono::sys_days(day);
  }

  milliseconds time_of_day() {
    const hours hour(digits(2, 0, 23));
    one_of(":");
    const minutes minute(digits(2, 0, 59));
    one_of(":");
    const seconds second(digits(2, 0, 60));
    is_leap_ = second.count() == 60;
    return hour + minute + second + fraction();
  }

  milliseconds fraction() {
    if (!rest_.starts_with('.')) return {};
    rest_.remove_prefix(1);
    if (!is_digit()) fault();
    int thousandths = 0;
    for (int weight = 100; is_digit(); weight /= 10) {
      thousandths += weight * (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return milliseconds(thousandths);
  }

  minutes offset() {
    const char sign = one_of("Zz+-");
    if (sign != '+' && sign != '-') return {};
    const hours hour(digits(2, 0, 23));
    one_of(":");
    const minutes ahead = hour + minutes(digits(2, 0, 59));
    return sign == '-' ? -ahead : ahead;
  }

  [[nodiscard]] bool is_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }
  int fault() {
    ok_ = false;
    rest_ = {};
    return 0;
  }

  std::string_view rest_;
  bool ok_ = true;
  bool is_leap_ = false;
};

}  // namespace

Result<Timestamp> Timestamp::from_time(Time time) {
  if (time < kFirst || time >= kEnd) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{} ms since 1970 is not in the years 0001 to 9999", time.time_since_epoch().count()));
  }
  return Timestamp(time);
}

Result<Timestamp> Timestamp::parse(std::string_view rfc3339) {
  constexpr std::size_t kShown = 60;
  const auto time = DateTimeReader(rfc3339).read();
  if (!time || *time < kFirst || *time >= kEnd) {
    return fail(ErrorCode::Malformed, fmt::format("\"{}\" is no date and time of RFC 3339 in the years 0001 to 9999, "
                                                  "such as 2026-11-23T19:40:26.000Z",
                                                  rfc3339.substr(0, kShown)));
  }
  return Timestamp(*time);
}

std::string Timestamp::to_text() const {
  return std::string(TimestampText(*this).view());
}

TimestampText::TimestampText(Timestamp timestamp) : text_{} {
  const auto day = std::chrono::floor<days>(timestamp.time());
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(timestamp.time() - day);
  fmt::format_to_n(text_.data(), text_.size(), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", int(date.year()),
                   unsigned(date.month()), unsigned(date.day()), clock.hours().count(), clock.minutes().count(),
                   clock.seconds().count(), clock.subseconds().count());
}

}  // namespace fermata
