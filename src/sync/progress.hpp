// How far one subscription of ours has been received from one remote. Pure.
#pragma once

#include <map>

#include "sync/messages.hpp"

namespace fermata::sync {

class Progress {
 public:
  Progress() = default;
  explicit Progress(Position position) : position_(position) {}

  [[nodiscard]] const Position& position() const { return position_; }

  // What it has of the log is all that has been received.
  [[nodiscard]] bool has_holes() const { return !waiting_.empty(); }

  // Takes in a range whose documents have all been received. What does not join what we have is kept until the hole is
  // filled. Error: LimitExceeded beyond kMaxHoles.
  [[nodiscard]] Status fold(const Range& range);

 private:
  struct End {
    std::uint64_t to = 0;
    bool complete = false;
  };

  void extend(std::uint64_t to, bool complete);

  Position position_;
  std::map<std::uint64_t, End> waiting_;  // by `from`
};

}  // namespace fermata::sync
