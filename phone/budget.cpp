#include "phone/budget.hpp"

#include <algorithm>
#include <utility>

namespace fermata::phone {
namespace {

Millis rounded_up(Instant span) {
  return std::max(Millis(0), std::chrono::ceil<Millis>(span));
}

}  // namespace

void Budget::run(Instant now) {
  if (!since_) since_ = now;
  if (!first_) first_ = now;
}

void Budget::pause(Instant now) {
  used_ = used(now);
  since_.reset();
}

void Budget::renew(Millis early) {
  early_ = early;
  used_ = Instant(0);
  since_.reset();
  first_.reset();
  expiring_ = false;
}

std::optional<Millis> Budget::left(Instant now) const {
  if (!rule_.duration) return std::nullopt;
  return rounded_up(*rule_.duration - used(now));
}

Millis Budget::really_left(Instant now) const {
  return rounded_up(*rule_.duration - early_ - used(now));
}

bool Budget::is_spent(Instant now) const {
  return rule_.duration && really_left(now) <= rule_.notice;
}

bool Budget::is_due_back(Instant now) const {
  return rule_.per && first_ && now - *first_ >= *rule_.per;
}

Budget::Verdict Budget::judge(Instant now) {
  if (!rule_.duration || !since_) return Verdict::Nothing;
  if (now >= end() + rule_.overrun) return Verdict::Over;
  if (now < end() - rule_.notice || std::exchange(expiring_, true)) return Verdict::Nothing;
  return Verdict::Expiring;
}

std::optional<Instant> Budget::next_verdict() const {
  if (!rule_.duration || !since_) return std::nullopt;
  return expiring_ ? end() + rule_.overrun : end() - rule_.notice;
}

}  // namespace fermata::phone
