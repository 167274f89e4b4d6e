// What has been offered to us and is expected another way (docs/PROTOCOL.md, "Eager and lazy"): the states that our
// documents have passed through, and the frames that wait for such a state. Pure. Private to sync/.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/time.hpp"
#include "sync/limits.hpp"
#include "sync/messages.hpp"

namespace fermata::sync {

// States (crdt::version_of) that documents here have had. Merging only adds, so a document that has passed through a
// state holds whatever that state held. Forgets the oldest beyond its capacity, which costs a question, never data.
class PassedStates {
 public:
  PassedStates() : PassedStates(kPassedStates) {}
  explicit PassedStates(std::size_t capacity) : capacity_(capacity) {}

  void add(std::uint64_t version);
  [[nodiscard]] bool contains(std::uint64_t version) const { return known_.contains(version); }

 private:
  std::size_t capacity_;
  std::deque<std::uint64_t> order_;
  std::unordered_set<std::uint64_t> known_;
};

// One session's frames with offers that have not come yet. Their ranges count only when all has come: until then
// nothing of the frame has been received.
class Offers {
 public:
  struct Overdue {
    std::vector<Range> ranges;
    std::vector<Offer> offers;
  };

  // A frame with `open` offers that must have come by `due`; not before the `due` of earlier calls.
  void hold(std::vector<Range> ranges, std::vector<Offer> open, Instant due);
  // A document is now in this state. Result: it was offered by the remote in that state, or before it.
  bool reached(std::uint64_t version);
  // The ranges of frames that are complete since the last call.
  [[nodiscard]] std::vector<Range> take_complete();

  [[nodiscard]] bool empty() const { return frames_.empty(); }
  [[nodiscard]] bool full() const { return open_ >= kMaxOpenOffers || frames_.size() >= kMaxOpenFrames; }
  [[nodiscard]] std::optional<Instant> deadline() const;
  // The oldest frame, which is no longer waited for.
  [[nodiscard]] Overdue take_oldest();

 private:
  using Number = std::uint64_t;
  struct Frame {
    std::vector<Range> ranges;
    std::vector<Offer> offers;
    std::size_t open = 0;
    Instant due{};
  };
  struct Place {
    std::uint64_t version = 0;
    Number frame = 0;
  };

  std::map<Number, Frame> frames_;  // in order of arrival
  Number last_ = 0;
  std::size_t open_ = 0;
  std::map<DocumentName, std::deque<Place>> documents_;  // what is open of each, oldest first
  std::unordered_map<std::uint64_t, DocumentName> versions_;
  std::vector<Range> complete_;
};

}  // namespace fermata::sync
