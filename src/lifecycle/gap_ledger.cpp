#include "lifecycle/gap_ledger.hpp"

#include <algorithm>

namespace fermata::lifecycle {
namespace {

using std::chrono::milliseconds;

milliseconds in_ms(Duration span) {
  return std::chrono::duration_cast<milliseconds>(std::max(span, Duration::zero()));
}

}  // namespace

void GapLedger::begin(GapCause cause, Instant now, Gap::Wall wall, std::uint64_t unsent) {
  close(now);
  alone_.reset();
  add({.begin = wall, .cause = cause, .changes_unsent = unsent});
  opened_ = now;
}

void GapLedger::precede_with(const GapLedger& earlier) {
  gaps_.insert(gaps_.begin(), earlier.gaps_.begin(), earlier.gaps_.end());
  while (gaps_.size() > kMaxGaps) {
    gaps_.pop_front();
  }
}

void GapLedger::set_unsent(std::uint64_t unsent) {
  if (paused()) {
    gaps_.back().changes_unsent = unsent;
  }
}

void GapLedger::end(Instant now) {
  if (!paused()) {
    return;
  }
  const Gap::Wall wall = gaps_.back().begin + in_ms(now - *opened_);
  close(now);
  note_alone(now, wall);
}

void GapLedger::note_catch_up(std::uint64_t documents, Duration duration) {
  const auto last = std::find_if(gaps_.rbegin(), gaps_.rend(), [](const Gap& gap) { return gap.length.has_value(); });
  if (last == gaps_.rend()) {
    return;
  }
  last->changes_missed += documents;
  last->catch_up = std::max(last->catch_up.value_or(milliseconds(0)), in_ms(duration));
}

void GapLedger::seen_suspension(Instant from, Instant to, Gap::Wall wall) {
  if (paused()) {
    return;
  }
  close(from);
  const milliseconds length = in_ms(to - from);
  add({.begin = wall - length, .length = length, .cause = GapCause::Suspended});
  if (alone_) {
    alone_ = Since{to, wall};
  } else {
    note_alone(to, wall);
  }
}

void GapLedger::set_presence(const Presence& presence, Instant now, Gap::Wall wall) {
  presence_ = presence;
  if (!presence.wanted || presence.linked > 0) {
    alone_.reset();
    if (open_of(GapCause::NoPeers)) {
      close(now);
    }
  } else if (!opened_) {
    note_alone(now, wall);
    alone_->wall = wall - in_ms(now - alone_->at);  // the wall clock may have been set since
  }
}

void GapLedger::note_alone(Instant now, Gap::Wall wall) {
  if (presence_.wanted && presence_.linked == 0 && !alone_) {
    alone_ = Since{now, wall};
  }
}

std::optional<Instant> GapLedger::next_deadline() const {
  return alone_ ? std::optional(alone_->at + kAlone) : std::nullopt;
}

void GapLedger::on_deadline(Instant now) {
  if (alone_ && now >= alone_->at + kAlone) {
    add({.begin = alone_->wall, .cause = GapCause::NoPeers});
    opened_ = alone_->at;
    alone_.reset();
  }
}

std::optional<Duration> GapLedger::expected_length(GapCause cause) const {
  std::vector<milliseconds> lengths;
  for (auto gap = gaps_.rbegin(); gap != gaps_.rend() && lengths.size() < kMedianOf; ++gap) {
    if (gap->cause == cause && gap->length) {
      lengths.push_back(*gap->length);
    }
  }
  if (lengths.empty()) {
    return std::nullopt;
  }
  const auto middle = lengths.begin() + static_cast<std::ptrdiff_t>((lengths.size() - 1) / 2);
  std::nth_element(lengths.begin(), middle, lengths.end());
  return *middle;
}

std::vector<Gap> GapLedger::gaps() const {
  return {gaps_.begin(), gaps_.end()};
}

void GapLedger::add(Gap gap) {
  gaps_.push_back(gap);
  if (gaps_.size() > kMaxGaps) {
    gaps_.pop_front();
  }
}

void GapLedger::close(Instant now) {
  if (opened_) {
    gaps_.back().length = in_ms(now - *opened_);
    opened_.reset();
  }
}

bool GapLedger::open_of(GapCause cause) const {
  return opened_ && gaps_.back().cause == cause;
}

bool GapLedger::paused() const {
  return opened_ && gaps_.back().cause != GapCause::NoPeers;
}

}  // namespace fermata::lifecycle
