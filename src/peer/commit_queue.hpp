// Commits on their way from the store's mutex to the loop thread, bounded: what does not fit is forgotten and said so,
// because the store's log still has it.
#pragma once

#include <mutex>
#include <vector>

#include "store/store.hpp"

namespace fermata {

// Thread-safe.
class CommitQueue {
 public:
  static constexpr std::size_t kMaxChanges = 4096;

  struct Batch {
    std::vector<store::SharedCommit> events;
    bool skipped = false;  // some events after these were dropped
  };

  // Result: whether the queue was empty, so that somebody must be told to come.
  [[nodiscard]] bool push(const store::SharedCommit& event);
  [[nodiscard]] Batch take();

 private:
  std::mutex mutex_;
  Batch batch_;
  std::size_t changes_ = 0;
};

}  // namespace fermata
