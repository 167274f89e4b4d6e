#include "sync/offers.hpp"

#include <algorithm>

namespace fermata::sync {

void PassedStates::add(std::uint64_t version) {
  if (!known_.insert(version).second) return;
  order_.push_back(version);
  if (order_.size() <= capacity_) return;
  known_.erase(order_.front());
  order_.pop_front();
}

void Offers::hold(std::vector<Range> ranges, std::vector<Offer> open, Instant due) {
  const Number number = ++last_;
  for (const Offer& offer : open) {
    DocumentName name{offer.collection, offer.id};
    documents_[name].push_back({offer.version, number});
    versions_.insert_or_assign(offer.version, std::move(name));
  }
  open_ += open.size();
  const std::size_t count = open.size();
  frames_.emplace(number, Frame{std::move(ranges), std::move(open), count, due});
}

// A remote's later state of a document includes its earlier ones, so whoever has the later has them all.
bool Offers::reached(std::uint64_t version) {
  const auto name = versions_.find(version);
  if (name == versions_.end()) return false;
  const auto document = documents_.find(name->second);
  std::deque<Place>& places = document->second;
  const auto last =
      std::find_if(places.rbegin(), places.rend(), [&](const Place& place) { return place.version == version; });
  for (auto left = std::distance(last, places.rend()); left > 0; --left) {
    const Place place = places.front();
    places.pop_front();
    versions_.erase(place.version);
    --open_;
    const auto frame = frames_.find(place.frame);
    if (--frame->second.open != 0) continue;
    complete_.insert(complete_.end(), frame->second.ranges.begin(), frame->second.ranges.end());
    frames_.erase(frame);
  }
  if (places.empty()) documents_.erase(document);
  return true;
}

std::vector<Range> Offers::take_complete() {
  return std::exchange(complete_, {});
}

std::optional<Instant> Offers::deadline() const {
  if (frames_.empty()) return std::nullopt;
  return frames_.begin()->second.due;
}

Offers::Overdue Offers::take_oldest() {
  const auto oldest = frames_.begin();
  const Number number = oldest->first;
  Overdue overdue{std::move(oldest->second.ranges), {}};
  for (Offer& offer : oldest->second.offers) {
    const auto document = documents_.find({offer.collection, offer.id});
    if (document == documents_.end()) continue;
    const std::size_t before = document->second.size();
    std::erase_if(document->second, [&](const Place& place) {
      if (place.frame != number) return false;
      versions_.erase(place.version);
      return true;
    });
    if (document->second.size() == before) continue;
    open_ -= before - document->second.size();
    if (document->second.empty()) documents_.erase(document);
    overdue.offers.push_back(std::move(offer));
  }
  frames_.erase(oldest);
  return overdue;
}

}  // namespace fermata::sync
