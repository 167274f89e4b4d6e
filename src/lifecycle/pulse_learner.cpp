#include "lifecycle/pulse_learner.hpp"

#include <algorithm>
#include <fermata/value.hpp>

namespace fermata::lifecycle {
namespace {

using std::chrono::milliseconds;

std::optional<Duration> duration_at(const Map& map, std::string_view key, Duration least, Duration most) {
  const auto found = map.find(key);
  const auto* count = found == map.end() ? nullptr : found->second.if_a<std::int64_t>();
  if (!count || *count < least / milliseconds(1) || *count > most / milliseconds(1)) {
    return std::nullopt;
  }
  return milliseconds(*count);
}

}  // namespace

void PulseLearner::set_grace(Duration grace) {
  grace_ = std::max(grace, Duration::zero());
}

void PulseLearner::pulsed(Instant now) {
  if (last_ && now > *last_) {
    quiet_ += now - *last_;
  }
  last_ = now;
  if (quiet_ >= kQuiet) {
    quiet_ = Duration::zero();
    period_ = period() + period() / 10;
  }
}

void PulseLearner::rest() {
  last_.reset();
}

void PulseLearner::suspended() {
  const Duration now = period();
  exhausted_ = now == kMinPeriod && length_ == kMaxLength;
  failed_ = std::min(failed_.value_or(now), now);
  period_ = std::max(now / 2, kMinPeriod);
  length_ = std::min(length_ * 2, kMaxLength);
  quiet_ = Duration::zero();
  last_.reset();
}

Duration PulseLearner::longest() const {
  Duration most = grace_ ? *grace_ - kPauseReserve : kMaxPeriod;
  if (failed_) {
    most = std::min(most, *failed_ * 4 / 5);
  }
  return std::max(most, kMinPeriod);
}

Duration PulseLearner::period() const {
  const Duration first = grace_ ? *grace_ / 3 : kFirstPeriod;
  return std::clamp(period_.value_or(first), kMinPeriod, longest());
}

std::string PulseLearner::encode() const {
  Map map{{"length_ms", length_ / milliseconds(1)}};
  if (period_) {
    map["period_ms"] = *period_ / milliseconds(1);
  }
  if (failed_) {
    map["failed_ms"] = *failed_ / milliseconds(1);
  }
  return to_json(map);
}

PulseLearner PulseLearner::decode(std::string_view json) {
  PulseLearner learner;
  const auto value = from_json(json);
  const Map* map = value ? value->if_a<Map>() : nullptr;
  if (map) {
    constexpr Duration kAnHour = std::chrono::hours(1);  // no system is that patient
    learner.period_ = duration_at(*map, "period_ms", kMinPeriod, kAnHour);
    learner.failed_ = duration_at(*map, "failed_ms", kMinPeriod, kAnHour);
    learner.length_ = duration_at(*map, "length_ms", milliseconds(1), kMaxLength).value_or(kFirstLength);
  }
  return learner;
}

}  // namespace fermata::lifecycle
