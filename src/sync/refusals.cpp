#include "sync/refusals.hpp"

#include <algorithm>

#include "sync/limits.hpp"

namespace fermata::sync {
namespace {

constexpr Duration kFirst = std::chrono::seconds(1);
constexpr Duration kLongest = std::chrono::hours(1);
constexpr Duration kForgiven = std::chrono::hours(1);
constexpr int kGrowth = 4;

Duration span_of(unsigned offences) {
  Duration span = kFirst;
  for (unsigned i = 1; i < offences && span < kLongest; ++i) span *= kGrowth;
  return std::min(span, kLongest);
}

}  // namespace

bool Refusals::deserved(ErrorCode code) {
  return code == ErrorCode::Malformed || code == ErrorCode::LimitExceeded || code == ErrorCode::Protocol;
}

void Refusals::note(const DeviceId& device, const Error& why, Instant now) {
  if (!entries_.contains(device) && entries_.size() >= kMaxRefused) {
    entries_.erase(std::min_element(entries_.begin(), entries_.end(),
                                    [](const auto& a, const auto& b) { return a.second.until < b.second.until; }));
  }
  Entry& entry = entries_[device];
  if (entry.offences != 0 && now - entry.until > kForgiven) entry.offences = 0;
  entry.until = now + span_of(++entry.offences);
  entry.why = {why.code, "it broke the protocol and is refused for a while: " + why.message};
}

std::optional<Error> Refusals::of(const DeviceId& device, Instant now) const {
  const auto found = entries_.find(device);
  if (found == entries_.end() || now >= found->second.until) return std::nullopt;
  return found->second.why;
}

}  // namespace fermata::sync
