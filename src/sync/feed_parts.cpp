// Documents that no frame holds. Registers merge one by one, so such a document goes in several frames, and they wait
// for the window like any: else what is on its way to somebody would have no bound. Only with the last of them does the
// remote have what the fingerprint is of, and what its subscriptions are told to have received.
#include "sync/feed.hpp"

namespace fermata::sync {

void Feed::send_parts() {
  while (!parts_.left.empty() && window_open()) {
    flush();
    const bool last = parts_.left.size() == 1;
    // Passed over: a frame that the transport refuses would end this link and every later one at the same place.
    if (!writer_.add(parts_.left.front(), last ? parts_.fingerprint : std::nullopt)) ++documents_too_large_;
    parts_.left.pop_front();
  }
}

void Feed::await_parts(const Group& group, std::uint64_t from, std::uint64_t to, bool live) {
  for (const RemoteSubscription* each : group) parts_.subscriptions.push_back(each->id);
  parts_.from = from;
  parts_.to = to;
  parts_.live = live;
}

bool Feed::parts_gone() {
  if (parts_.left.empty()) return true;
  send_parts();
  if (!parts_.left.empty()) {
    flush();
    return false;
  }
  leave_level();
  for (const std::uint64_t id : parts_.subscriptions) {
    const auto found = place_of(id);
    if (found == subscriptions_.end() || found->id != id) continue;
    Position& position = found->course.position;
    if (position.seq != parts_.from) continue;
    position.seq = parts_.to;
    if (parts_.live) position.base = parts_.to;
  }
  parts_.subscriptions.clear();
  flush();
  return true;
}

}  // namespace fermata::sync
