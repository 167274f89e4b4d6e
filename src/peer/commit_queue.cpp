#include "peer/commit_queue.hpp"

#include <utility>

namespace fermata {

bool CommitQueue::push(const store::SharedCommit& event) {
  const std::lock_guard lock(mutex_);
  const bool was_empty = batch_.events.empty() && !batch_.skipped;
  // Once something was skipped, what follows is useless to a session that pushes live.
  if (batch_.skipped || changes_ + event->changes.size() > kMaxChanges) {
    batch_.skipped = true;
  } else {
    changes_ += event->changes.size();
    batch_.events.push_back(event);
  }
  return was_empty;
}

CommitQueue::Batch CommitQueue::take() {
  const std::lock_guard lock(mutex_);
  changes_ = 0;
  return std::exchange(batch_, {});
}

}  // namespace fermata
